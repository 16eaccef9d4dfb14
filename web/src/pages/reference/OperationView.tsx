import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { API_BASE } from "../../api/client";
import { SCOPE_WORDS, type Scope } from "../keys/scopes";
import { Copy } from "../../parts/Copy";
import { curlOf } from "./curl";
import type { Answer, Media, Operation, Parameter, Reference } from "./document";
import { Prose } from "./Prose";
import { SchemaView, Values } from "./SchemaView";
import { TryIt } from "./TryIt";
import { limitsOf, typeOf, valuesOf } from "./typeWords";

const PLACES = { path: "In the path", query: "In the query", header: "Headers" } as const;
const STREAM = "text/event-stream";

/** One operation: what it takes, what it answers, and how to ask for it. */
export function OperationView({ operation, reference }: { operation: Operation; reference: Reference }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const body = operation.body?.content["application/json"];
  const streams = operation.answers.some(([, answer]) => answer.content && Object.keys(answer.content)[0] === STREAM);
  return (
    <article>
      <h1 ref={heading} tabIndex={-1}>{operation.summary}</h1>
      <p class="endpoint-line"><Method name={operation.method} /> <code>{operation.path}</code></p>
      {operation.description && <p class="description"><Prose text={operation.description} /></p>}
      <p class="soft small">
        {operation.scopes === null
          ? "Needs no key."
          : operation.scopes.length
            ? operation.scopes.map((scope) => <span key={scope}>Needs a key with <code>{scope}</code>: {SCOPE_WORDS[scope as Scope]?.toLowerCase() ?? ""}.</span>)
            : operation.operator
              ? "Needs the operator's key."
              : "Needs a key."}
      </p>
      <Request operation={operation} media={body} reference={reference} />
      {operation.method === "GET" && !streams && !operation.operator && (
        <details class="card"><summary>Try it</summary><TryIt operation={operation} /></details>
      )}
      {(Object.keys(PLACES) as (keyof typeof PLACES)[]).map((place) => (
        <Parameters key={place} name={PLACES[place]} parameters={operation.parameters.filter((part) => part.in === place)} reference={reference} />
      ))}
      {body?.schema && (
        <section class="card" aria-labelledby="body-title">
          <h2 id="body-title">Body {!operation.body?.required && <span class="soft small">may be left out</span>}</h2>
          <SchemaView schema={body.schema} reference={reference} asks />
        </section>
      )}
      <h2 class="answers-title">Answers</h2>
      {operation.answers.map(([status, answer]) => <AnswerView key={status} status={status} answer={answer} reference={reference} />)}
    </article>
  );
}

export function Method({ name }: { name: string }) {
  return <span class={`method method-${name.toLowerCase()}`}>{name}</span>;
}

/** The command that asks for it; where there are several examples of a body, one of them. */
function Request({ operation, media, reference }: { operation: Operation; media: Media | undefined; reference: Reference }) {
  const examples = Object.entries(media?.examples ?? {});
  const chosen = useSignal(0);
  const example = examples[chosen.value]?.[1];
  const text = curlOf(operation, API_BASE, example && reference.resolve<{ value?: unknown }>(example).value);
  return (
    <section class="card" aria-labelledby="request-title">
      <div class="heading tight">
        <h2 id="request-title">Request</h2>
        <div class="row">
          {examples.length > 1 && (
            <label class="inline">
              <span class="hidden">Example</span>
              <select value={String(chosen.value)} onChange={(event) => (chosen.value = Number(event.currentTarget.value))}>
                {examples.map(([name], at) => <option key={name} value={String(at)}>{name.replaceAll("_", " ")}</option>)}
              </select>
            </label>
          )}
          <Copy text={text} />
        </div>
      </div>
      <pre tabIndex={0}>{text}</pre>
    </section>
  );
}

function Parameters({ name, parameters, reference }: { name: string; parameters: Parameter[]; reference: Reference }) {
  if (parameters.length === 0) return null;
  return (
    <section class="card" aria-label={name}>
      <h2>{name}</h2>
      <ul class="members">
        {parameters.map((part) => (
          <li key={part.name}>
            <p class="member">
              <code class="member-name">{part.name}</code> <span class="soft small">{typeOf(part.schema, reference.resolve)}</span>
              {part.required && <span class="required small">required</span>}
              {limitsOf(part.schema).map((limit) => <span key={limit} class="soft small">{limit}</span>)}
            </p>
            <Values values={valuesOf(part.schema)} />
            {part.description && <p class="soft small"><Prose text={part.description} /></p>}
          </li>
        ))}
      </ul>
    </section>
  );
}

function AnswerView({ status, answer, reference }: { status: string; answer: Answer; reference: Reference }) {
  const media = Object.entries(answer.content ?? {});
  const good = status.startsWith("2") || status.startsWith("3");
  const [type, first] = media[0] ?? [];
  const example = first?.examples && Object.values(first.examples)[0];
  const value = example && reference.resolve<{ value?: unknown }>(example).value;
  return (
    <details class="card answer" open={status === "200" || status === "201"}>
      <summary><strong class={good ? "" : "wrong"}>{status}</strong> <span class="answer-words"><Prose text={answer.description} /></span></summary>
      {media.length > 1 && <p class="values small">{media.map(([name]) => <code key={name} class="tag">{name}</code>)}</p>}
      {value !== undefined && <pre tabIndex={0}>{typeof value === "string" ? value : JSON.stringify(value, null, 2)}</pre>}
      {good && type === "application/json" && first?.schema && <SchemaView schema={first.schema} reference={reference} />}
    </details>
  );
}
