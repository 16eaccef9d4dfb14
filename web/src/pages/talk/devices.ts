// The microphones that the browser names.
import { signal } from "@preact/signals";

export const microphones = signal<MediaDeviceInfo[]>([]);

/** Looks which there are; before a page was allowed to listen, browsers name none. */
export async function lookForMicrophones(): Promise<void> {
  const found = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  microphones.value = found.filter((one) => one.kind === "audioinput" && one.deviceId);
}

navigator.mediaDevices?.addEventListener("devicechange", () => void lookForMicrophones());
