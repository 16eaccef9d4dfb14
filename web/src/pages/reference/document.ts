// The OpenAPI document as the reference reads it: only what our own has.

export interface Schema {
  $ref?: string;
  type?: string | string[];
  title?: string;
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  format?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
}

export interface Parameter {
  name: string;
  in: "path" | "query" | "header";
  required?: boolean;
  description?: string;
  schema: Schema;
  example?: unknown;
}

export interface Media {
  schema?: Schema;
  examples?: Record<string, { value?: unknown; $ref?: string }>;
}

export interface Answer {
  description: string;
  content?: Record<string, Media>;
}

export interface Operation {
  method: string;
  path: string;
  operationId: string;
  tag: string;
  summary: string;
  description: string | null;
  parameters: Parameter[];
  body: { required: boolean; content: Record<string, Media> } | null;
  answers: [string, Answer][];
  /** What the key must be allowed; null: no key is needed. */
  scopes: string[] | null;
  /** Whether it needs the key of whoever runs the installation. */
  operator: boolean;
}

export interface Reference {
  title: string;
  version: string;
  tags: string[];
  operations: Operation[];
  /** What a `$ref` names. */
  resolve: <T extends object>(part: T | { $ref?: string }) => T;
}

const METHODS = ["get", "post", "put", "patch", "delete"];

/** Reads the document. */
export function readDocument(document: any): Reference {
  function resolve<T extends object>(part: T | { $ref?: string }): T {
    const ref = (part as { $ref?: string }).$ref;
    if (ref === undefined) return part as T;
    const found = ref
      .split("/")
      .slice(1)
      .reduce((place, name) => place?.[name.replaceAll("~1", "/").replaceAll("~0", "~")], document);
    return resolve<T>(found ?? {});
  }

  const operations: Operation[] = [];
  for (const [path, item] of Object.entries<any>(document.paths)) {
    for (const method of METHODS) {
      const one = item[method];
      if (!one) continue;
      const security = one.security ?? document.security ?? [];
      operations.push({
        method: method.toUpperCase(),
        path,
        operationId: one.operationId,
        tag: one.tags?.[0] ?? "Other",
        summary: one.summary ?? one.operationId,
        description: one.description ?? null,
        parameters: [...(item.parameters ?? []), ...(one.parameters ?? [])].map((part: Parameter) => resolve<Parameter>(part)),
        body: one.requestBody ? { required: false, ...resolve<any>(one.requestBody) } : null,
        answers: Object.entries<any>(one.responses).map(([status, answer]) => [status, resolve<Answer>(answer)]),
        operator: security.some((one: object) => "operator_key" in one),
        scopes: security.length ? Object.values<string[]>(security[0]).flat() : null,
      });
    }
  }
  const tags = (document.tags ?? []).map((tag: { name: string }) => tag.name);
  for (const { tag } of operations) if (!tags.includes(tag)) tags.push(tag);
  return { title: document.info.title, version: document.info.version, tags, operations, resolve };
}

/** The operations that have every word of the search in their method, path, name or texts. */
export function search(operations: Operation[], text: string): Operation[] {
  const words = text.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return operations;
  return operations.filter((one) => {
    const all = [one.method, one.path, one.operationId, one.tag, one.summary, one.description ?? "", ...one.parameters.map((part) => part.name)];
    const texts = all.join(" ").toLocaleLowerCase();
    return words.every((word) => texts.includes(word));
  });
}
