// What the API's short words about webhooks mean.
import type { Schemas } from "../../api/client";

type Endpoint = Schemas["WebhookEndpointResource"];
type Delivery = Schemas["DeliveryResource"];

export const STATE_WORDS: Record<Delivery["state"], string> = {
  pending: "On its way",
  succeeded: "Delivered",
  failed: "Given up",
};

export const DISABLED_WORDS: Record<NonNullable<Endpoint["disabled_reason"]>, string> = {
  requested: "Somebody disabled it.",
  gone: "It answered 410 Gone, so nothing is sent any more.",
  failing: "Nothing was delivered for days, so nothing is sent any more.",
  key_revoked: "The key that made it, or set its URL or its secret last, was revoked with all that it made.",
};

const ERRORS: Record<string, string> = {
  redirect: "redirects are not followed",
  url_not_allowed: "the URL is not allowed",
  address_not_allowed: "its name leads to an address that is not allowed",
  name_unresolved: "its name was not found",
  connection_refused: "nobody listens there",
  connection_failed: "the connection failed",
  tls: "its certificate is not trusted, or TLS failed",
  timeout: "no answer in time",
  closed_early: "the connection closed before the answer came",
  answer_malformed: "the answer was no HTTP",
  event_expired: "the event is not kept any more; nothing was sent",
};

/** What became of one request, in words. */
export function outcome({ status, error }: Schemas["AttemptResource"]): string {
  const words = error && error !== "status" ? (ERRORS[error] ?? error.replaceAll("_", " ")) : null;
  if (status === null) return words ?? "no answer";
  return words ? `${status}, ${words}` : String(status);
}
