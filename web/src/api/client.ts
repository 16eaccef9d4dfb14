// The one way to the API. Paths, parameters and answers are checked against types made from our OpenAPI document.
import createClient, { type Middleware } from "openapi-fetch";
import { endedBecause, key, signOut } from "../sign_in/key";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

/** An answer that says no, or that there was none. */
export class Refusal extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly status: number,
    readonly requestId: string | null,
    readonly retryAfterSeconds: number | null,
  ) {
    super(message);
  }
}

const authorize: Middleware = {
  onRequest({ request }) {
    if (key.value && !request.headers.has("Authorization")) {
      request.headers.set("Authorization", `Bearer ${key.value}`);
    }
    return request;
  },
};

/** Where the API is: the folder of this page. */
export const API_BASE = new URL(".", document.baseURI).href.replace(/\/$/, "");

export const api = createClient<paths>({ baseUrl: API_BASE });
api.use(authorize);

interface Answered<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** What the API answered, as JSON; a refusal is thrown. A key that has stopped working signs out. */
export async function answer<T>(asked: Promise<Answered<T>>): Promise<Exclude<T, string>> {
  let got: Answered<T>;
  try {
    got = await asked;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Refusal("unreachable", "The API does not answer. It may be starting again.", 0, null, null);
  }
  if (got.response.ok) return got.data as Exclude<T, string>; // texts are other media types of the operation
  const refusal = refusalOf(got.response, got.error);
  if (refusal.code === "key.invalid" || refusal.code === "key.missing") {
    endedBecause.value = "The key stopped working: it is unknown, revoked or expired.";
    signOut();
  }
  throw refusal;
}

/** The refusal that an answer is. */
export function refusalOf(response: Response, body: unknown): Refusal {
  const said = (body as { error?: { code?: string; message?: string } } | undefined)?.error;
  const seconds = Number(response.headers.get("Retry-After") ?? NaN);
  return new Refusal(
    said?.code ?? `http.${response.status}`,
    said?.message ?? `The server answered ${response.status}.`,
    response.status,
    response.headers.get("X-Request-Id"),
    Number.isFinite(seconds) ? seconds : null,
  );
}

/** Null where the API knows the key, else why it does not let it in. */
export async function check(candidate: string): Promise<string | null> {
  try {
    const headers = { Authorization: `Bearer ${candidate}` };
    const { response } = await api.GET("/v1/codes", { headers });
    if (response.ok) return null;
    return response.status === 401
      ? "The API does not know this key. It may be revoked, expired, or another installation's."
      : `The API answered ${response.status}. Try again in a moment.`;
  } catch {
    return "The key could not be checked: the API does not answer, or the text is no key.";
  }
}
