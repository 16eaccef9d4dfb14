import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { clock } from "./duration";

/** How long it is since a time, as it goes on. */
export function Elapsed({ since }: { since: string }) {
  const now = useSignal(Date.now());
  useEffect(() => {
    const timer = setInterval(() => (now.value = Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return <>{clock(now.value - Date.parse(since))}</>;
}
