import type { ComponentType } from "preact";
import { lazyPage } from "./parts/lazyPage";
import { path } from "./routing";
import { Shell } from "./shell";
import { SignIn } from "./sign_in/SignIn";
import { AskHandOver } from "./sign_in/AskHandOver";
import { offered } from "./sign_in/handOver";
import { key } from "./sign_in/key";
import { NotFound } from "./parts/NotFound";
import { SessionsPage } from "./pages/sessions/SessionsPage";

const SessionPage = lazyPage(() => import("./pages/session/SessionPage").then((m) => m.SessionPage));
const TalkPage = lazyPage(() => import("./pages/talk/TalkPage").then((m) => m.TalkPage));
const UsagePage = lazyPage(() => import("./pages/usage/UsagePage").then((m) => m.UsagePage));
const ReferencePage = lazyPage(() => import("./pages/reference/ReferencePage").then((m) => m.ReferencePage));
const OperatorPage = lazyPage(() => import("./pages/operator/OperatorPage").then((m) => m.OperatorPage));
const KeysPage = lazyPage(() => import("./pages/keys/KeysPage").then((m) => m.KeysPage));
const WebhooksPage = lazyPage(() => import("./pages/webhooks/WebhooksPage").then((m) => m.WebhooksPage));

const PAGES: Record<string, ComponentType> = {
  "": SessionsPage,
  sessions: SessionsPage,
  talk: TalkPage,
  usage: UsagePage,
  webhooks: WebhooksPage,
  keys: KeysPage,
};

export function App() {
  if (offered.value) return <AskHandOver handed={offered.value} />;
  const [first = "", second, ...more] = path.value.split("/");
  if (first === "docs" && !second) return <Shell><ReferencePage /></Shell>; // can be read without a key
  if (first === "operator" && !second) return <Shell><OperatorPage /></Shell>; // has a key of its own
  if (!key.value) return <SignIn />;
  if (first === "sessions" && second && more.length === 0) return <Shell><SessionPage key={second} id={second} /></Shell>;
  const Page = second ? undefined : PAGES[first];
  return <Shell>{Page ? <Page /> : <NotFound />}</Shell>;
}
