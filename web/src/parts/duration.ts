/** `75_000` → `1:15`; from an hour on `1:02:03`. */
export function clock(ms: number): string {
  const seconds = Math.max(Math.floor(ms / 1000), 0);
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (n: number) => String(n).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** `1_234` → `1.234 s`; long ones as on a clock with milliseconds. */
export function exact(ms: number): string {
  const sign = ms < 0 ? "−" : "";
  const size = Math.abs(ms);
  const rest = String(size % 1000).padStart(3, "0");
  return size < 60_000 ? `${sign}${Math.floor(size / 1000)}.${rest} s` : `${sign}${clock(size)}.${rest}`;
}

/** `123_456` → `121 KB`. */
export function bytes(count: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let unit = 0;
  let value = count;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
