import { microphones } from "./devices";

/** Which microphone; shown where there are several. */
export function MicrophoneChoice({ chosen, choose }: { chosen: string; choose: (deviceId: string) => void }) {
  if (microphones.value.length < 2) return null;
  return (
    <label>
      <span>Microphone</span>
      <select value={chosen} onChange={(event) => choose(event.currentTarget.value)}>
        <option value="">The browser's choice</option>
        {microphones.value.map((one) => <option key={one.deviceId} value={one.deviceId}>{one.label || "Microphone"}</option>)}
      </select>
    </label>
  );
}
