import { useSignal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";

/** A page whose code is loaded when it is first shown. */
export function lazyPage<Props extends object>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  let loaded: ComponentType<Props> | null = null;
  return function LazyPage(props: Props) {
    const ready = useSignal(loaded !== null);
    const broken = useSignal(false);
    useEffect(() => {
      if (loaded) return;
      load().then(
        (page) => {
          loaded = page;
          ready.value = true;
        },
        () => (broken.value = true),
      );
    }, []);
    if (ready.value && loaded) {
      const Page = loaded;
      return <Page {...props} />;
    }
    if (broken.value) return <p class="wrong" role="alert">This page's files are gone: the server was updated. Reload to go on.</p>;
    return <p class="soft" aria-busy="true">Loading …</p>;
  };
}
