import { useSignal } from "@preact/signals";

/** A text that a click copies. */
export function Copy({ text, label = "Copy" }: { text: string; label?: string }) {
  const done = useSignal(false);
  async function copy() {
    try {
      await navigator.clipboard.writeText(text);
      done.value = true;
      setTimeout(() => (done.value = false), 1500);
    } catch {
      done.value = false; // not allowed here; the text can be selected
    }
  }
  return <button class="quiet small" onClick={copy} aria-live="polite">{done.value ? "Copied" : label}</button>;
}
