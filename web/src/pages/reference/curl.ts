// The command that asks for an operation, as a shell takes it.
import type { Operation, Parameter } from "./document";

/** With an example for each part of the path, and for the parameters that must be there. */
export function curlOf(operation: Operation, base: string, body: unknown): string {
  const lines = [`curl "${base}${pathOf(operation, exampleOf)}"`];
  if (operation.method !== "GET") lines[0] = lines[0]!.replace("curl ", `curl -X ${operation.method} `);
  if (operation.scopes) lines.push('-H "Authorization: Bearer $PARLEY_KEY"');
  if (body !== undefined) {
    lines.push("-H 'Content-Type: application/json'");
    lines.push(`-d '${JSON.stringify(body, null, 2).replaceAll("'", "'\\''")}'`);
  }
  return lines.join(" \\\n  ");
}

/** The path with its parts filled in, and what must be, or is, in the query. */
export function pathOf(operation: Operation, valueOf: (parameter: Parameter) => string): string {
  const query = new URLSearchParams();
  let path = operation.path;
  for (const parameter of operation.parameters) {
    const value = valueOf(parameter);
    if (parameter.in === "path") path = path.replace(`{${parameter.name}}`, encodeURIComponent(value));
    else if (parameter.in === "query" && value !== "") for (const one of value.split(",")) query.append(parameter.name, one.trim());
  }
  return query.size ? `${path}?${query}` : path;
}

function exampleOf(parameter: Parameter): string {
  if (parameter.in !== "path" && !parameter.required) return "";
  return String(parameter.example ?? `{${parameter.name}}`);
}
