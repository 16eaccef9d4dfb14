import type { Reference, Schema } from "./document";
import { Prose } from "./Prose";
import { limitsOf, nameOf, plainOf, typeOf, valuesOf } from "./typeWords";

const OPEN_DEPTH = 1; // what lies deeper is folded

interface At {
  reference: Reference;
  /** Whether to say what must be there: in what is sent. Of an answer all members are there. */
  asks: boolean;
  depth: number;
  /** The references on the way here: what leads back to itself is not followed. */
  inside: string[];
}

/** What an object holds, member by member; `asks`: whether it is sent to the API, which asks for some of them. */
export function SchemaView({ schema, reference, asks = false }: { schema: Schema; reference: Reference; asks?: boolean }) {
  return <Shape schema={schema} at={{ reference, asks, depth: 0, inside: [] }} />;
}

function Shape({ schema, at }: { schema: Schema; at: At }) {
  const inside = schema.$ref ? [...at.inside, schema.$ref] : at.inside;
  const whole = at.reference.resolve<Schema>(schema);
  const below = { ...at, inside };
  const choices = (whole.oneOf ?? whole.anyOf)?.filter((one) => hasMembers(one, at.reference));
  if (choices?.length) return <>{choices.map((one, index) => <Choice key={one.$ref ?? index} schema={one} at={below} />)}</>;
  if (whole.items) return <Shape schema={whole.items} at={below} />;
  if (!whole.properties) return null;
  return (
    <ul class="members">
      {Object.entries(whole.properties).map(([name, member]) => (
        <Member key={name} name={name} schema={member} required={!!whole.required?.includes(name)} at={below} />
      ))}
    </ul>
  );
}

/** One of several that an object may be; the first that says what it is names it. */
function Choice({ schema, at }: { schema: Schema; at: At }) {
  const whole = at.reference.resolve<Schema>(schema);
  const kind = whole.properties?.type?.const;
  return (
    <details class="shape" open={at.depth <= OPEN_DEPTH && !whole.description?.startsWith("Reserved")}>
      <summary>{kind !== undefined ? <>If <code>type</code> is <code>{JSON.stringify(kind)}</code></> : whole.title ?? "Or"}</summary>
      {whole.description && <p class="soft small"><Prose text={whole.description} /></p>}
      <Shape schema={schema} at={at} />
    </details>
  );
}

function Member({ name, schema, required, at }: { name: string; schema: Schema; required: boolean; at: At }) {
  const plain = plainOf(schema);
  const whole = at.reference.resolve<Schema>(plain);
  const description = schema.description ?? whole.description;
  const again = refsOf(plain).some((ref) => at.inside.includes(ref));
  return (
    <li>
      <p class="member">
        <code class="member-name">{name}</code> <span class="soft small">{typeOf(schema, at.reference.resolve)}</span>
        {required && at.asks && <span class="required small">required</span>}
        {limitsOf({ ...whole, ...schema }).map((limit) => <span key={limit} class="soft small">{limit}</span>)}
      </p>
      <Values values={valuesOf(whole)} />
      {description && <p class="soft small"><Prose text={description} /></p>}
      {hasMembers(plain, at.reference) && !again && (
        at.depth < OPEN_DEPTH ? (
          <Shape schema={plain} at={{ ...at, depth: at.depth + 1 }} />
        ) : (
          <details class="shape">
            <summary class="small">{nameOf(refsOf(plain)[0] ?? name)}</summary>
            <Shape schema={plain} at={{ ...at, depth: at.depth + 1 }} />
          </details>
        )
      )}
    </li>
  );
}

/** The values that something may have. */
export function Values({ values }: { values: string[] }) {
  if (values.length === 0) return null;
  return <p class="values small">{values.map((value) => <code key={value} class="tag">{value}</code>)}</p>;
}

function refsOf(schema: Schema): string[] {
  return [schema.$ref, schema.items?.$ref, ...(schema.anyOf ?? []).map((one) => one.$ref)].filter((ref) => ref !== undefined);
}

function hasMembers(schema: Schema, reference: Reference): boolean {
  const whole = reference.resolve<Schema>(schema);
  if (whole.properties) return true;
  if (whole.items) return hasMembers(whole.items, reference);
  return !!(whole.oneOf ?? whole.anyOf)?.some((one) => hasMembers(one, reference));
}
