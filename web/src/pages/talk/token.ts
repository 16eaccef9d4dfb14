// Tokens of LiveKit, minted in this tab: HS256 by WebCrypto. The secret is used here and sent nowhere.

export interface Grants {
  roomJoin: true;
  room: string;
  canPublish?: boolean;
  canSubscribe?: boolean;
  canPublishData?: boolean;
  hidden?: boolean;
  recorder?: boolean;
}

/** A token for `identity`, good for `seconds`. */
export async function mint(
  apiKey: string,
  apiSecret: string,
  identity: string,
  video: Grants,
  seconds: number,
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: apiKey, sub: identity, name: identity, nbf: now - 10, exp: now + seconds, video };
  const signed = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(claims)}`;
  const text = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const secret = await crypto.subtle.importKey("raw", text.encode(apiSecret), algorithm, false, ["sign"]);
  const signature = await crypto.subtle.sign("HMAC", secret, text.encode(signed));
  return `${signed}.${base64url(new Uint8Array(signature))}`;
}

/** The room that a token is for; null: it does not say. */
export function roomOf(token: string): string | null {
  try {
    const body = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const claims = JSON.parse(atob(body)) as { video?: { room?: string } };
    return claims.video?.room ?? null;
  } catch {
    return null;
  }
}

function encode(value: unknown): string {
  return base64url(new TextEncoder().encode(JSON.stringify(value)));
}

function base64url(data: Uint8Array): string {
  return btoa(String.fromCharCode(...data)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
