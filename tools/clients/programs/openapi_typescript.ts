// Records a session with openapi-fetch and the types that openapi-typescript makes; see tools/clients/scene.py.
import { writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import createClient from "openapi-fetch";
import type { components, paths } from "./parley.js";

type Status = components["schemas"]["SessionResource"]["status"];

const env = (name: string): string => {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is missing`);
  return value;
};

const client = createClient<paths>({
  baseUrl: env("PARLEY_URL"),
  headers: { Authorization: `Bearer ${env("PARLEY_KEY")}` },
});

const created = await client.POST("/v1/sessions", {
  body: {
    transport: {
      type: "livekit",
      url: env("LIVEKIT_URL"),
      room_name: env("ROOM"),
      worker_token: env("WORKER_TOKEN"),
    },
    tags: ["made"],
  },
});
if (created.error) throw new Error(created.error.error.message);
const params = { path: { session_id: created.data.id } };

const reached = async (until: "running" | "terminal", status: Status): Promise<void> => {
  const got = await client.GET("/v1/sessions/{session_id}", {
    params: { ...params, query: { until }, header: { Prefer: "wait=30" } },
  });
  if (got.data?.status !== status) throw new Error(`${JSON.stringify(got.data ?? got.error)} instead of ${status}`);
};

await reached("running", "running");
await sleep(Number(env("SECONDS")) * 1000);
const ended = await client.POST("/v1/sessions/{session_id}/end", { params });
if (ended.error) throw new Error(ended.error.error.message);
await reached("terminal", "ended");
const audio = await client.GET("/v1/sessions/{session_id}/audio", { params, parseAs: "arrayBuffer" });
if (!(audio.data instanceof ArrayBuffer)) throw new Error(JSON.stringify(audio.error));
writeFileSync(env("OUT"), Buffer.from(audio.data));
