// Server-sent events (WHATWG HTML §9.2) out of the text that a stream brings, however it is cut.

export interface SentEvent {
  type: string;
  data: string;
}

/** Takes a stream's text piece by piece. */
export class SentEventReader {
  /** The place behind what was read: what a stream that goes on begins with. */
  lastId: string | null = null;
  /** How long to wait before coming back, as the server asked. */
  retryMs: number | null = null;
  #rest = "";
  #type = "";
  #data: string[] = [];
  #id: string | null = null;

  /** The events that are whole with this piece. */
  take(piece: string): SentEvent[] {
    const found: SentEvent[] = [];
    // A piece may end between CR and LF: a CR at its end waits for what comes.
    const text = this.#rest + piece;
    const held = text.endsWith("\r") ? 1 : 0;
    const lines = text.slice(0, text.length - held).split(/\r\n|\n|\r/);
    this.#rest = (lines.pop() ?? "") + text.slice(text.length - held);
    for (const line of lines) {
      if (line === "") {
        const event = this.#dispatch();
        if (event) found.push(event);
      } else {
        this.#field(line);
      }
    }
    return found;
  }

  #field(line: string): void {
    const colon = line.indexOf(":");
    if (colon === 0) return; // a comment
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") this.#type = value;
    else if (name === "data") this.#data.push(value);
    else if (name === "id" && !value.includes("\0")) this.#id = value;
    else if (name === "retry" && /^\d+$/.test(value)) this.retryMs = Number(value);
  }

  #dispatch(): SentEvent | null {
    if (this.#id !== null) this.lastId = this.#id;
    const event = this.#data.length ? { type: this.#type || "message", data: this.#data.join("\n") } : null;
    this.#type = "";
    this.#data = [];
    return event;
  }
}
