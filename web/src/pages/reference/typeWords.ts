// What a schema asks for, in a few words.
import type { Schema } from "./document";

type Resolve = (schema: Schema) => Schema;

/** `string`, `integer or null`, `list of string`, `LiveKitTransport`. */
export function typeOf(schema: Schema, resolve: Resolve): string {
  if (schema.$ref) return nameOf(schema.$ref);
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices) return [...new Set(choices.map((one) => typeOf(one, resolve)))].join(" or ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return "one of";
  if (schema.type === "array" || schema.items) return `list of ${schema.items ? typeOf(schema.items, resolve) : "anything"}`;
  if (Array.isArray(schema.type)) return schema.type.join(" or ");
  if (schema.format === "date-time") return "time";
  return schema.type ?? "anything";
}

/** The last part of a reference. */
export function nameOf(ref: string): string {
  return ref.split("/").at(-1) ?? ref;
}

/** What is allowed besides the type: `1 to 600`, `at most 500 characters`, `default 20`. */
export function limitsOf(schema: Schema): string[] {
  const found: string[] = [];
  const plain = plainOf(schema);
  const range = between(plain.minimum, plain.maximum);
  if (range) found.push(range);
  const length = between(plain.minLength && plain.minLength > 1 ? plain.minLength : undefined, plain.maxLength);
  if (length) found.push(`${length} characters`);
  const count = between(plain.minItems, plain.maxItems);
  if (count) found.push(`${count} of them`);
  if (schema.default !== undefined) found.push(`default ${JSON.stringify(schema.default)}`);
  return found;
}

/** The values that are allowed, where they are few and named. */
export function valuesOf(schema: Schema): string[] {
  const plain = plainOf(schema);
  const named = plain.enum ?? plain.items?.enum ?? [];
  return named.map((value) => (typeof value === "string" ? value : JSON.stringify(value)));
}

/** The schema without its "or null". */
export function plainOf(schema: Schema): Schema {
  const others = schema.anyOf?.filter((one) => one.type !== "null");
  return others?.length === 1 ? { ...others[0]!, ...(schema.description ? { description: schema.description } : {}) } : schema;
}

function between(least: number | undefined, most: number | undefined): string | null {
  if (least !== undefined && most !== undefined) return least === most ? String(least) : `${least} to ${most.toLocaleString("en")}`;
  if (least !== undefined) return `at least ${least}`;
  return most === undefined ? null : `at most ${most.toLocaleString("en")}`;
}
