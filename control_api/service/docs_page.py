"""`/docs`: one self-contained page that draws `/openapi.json`. It loads nothing from anywhere else."""

import base64
import hashlib

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --accent: #2b7a5b; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { margin-bottom: 0; } h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
details { border: 1px solid var(--line); border-radius: 6px; margin: .6rem 0; padding: .4rem .8rem; }
summary { cursor: pointer; } summary b { display: inline-block; width: 4.6rem; color: var(--accent); }
summary span { opacity: .75; margin-left: .8rem; }
code, pre { font: 13px/1.45 ui-monospace, monospace; background: var(--soft); border-radius: 4px; }
code { padding: .1em .3em; } pre { padding: .7rem; overflow: auto; max-height: 24rem; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; vertical-align: top;
padding: .25rem .6rem .25rem 0; border-bottom: 1px solid var(--soft); }
"""

_SCRIPT = """
const make = (tag, text, ...children) => {
  const node = document.createElement(tag);
  if (text) node.textContent = text;
  node.append(...children);
  return node;
};
const pre = value => make('pre', typeof value === 'string' ? value : JSON.stringify(value, null, 2));
const resolve = (part, all) => part && part.$ref
  ? part.$ref.split('/').slice(2).reduce((found, name) => found[name], all) : part;
const typeOf = schema => {
  if (!schema) return '';
  if (schema.$ref) return schema.$ref.split('/').pop();
  const many = schema.anyOf || schema.oneOf;
  if (many) return many.map(typeOf).join(' | ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map(word => JSON.stringify(word)).join(' | ');
  if (schema.type === 'array') return typeOf(schema.items) + '[]';
  return [].concat(schema.type || 'any').join(' | ');
};
const table = (heads, rows) => {
  const head = make('tr', '', ...heads.map(text => make('th', text)));
  return make('table', '', head, ...rows.map(cells => make('tr', '', ...cells.map(cell =>
    cell instanceof Node ? make('td', '', cell) : make('td', String(cell ?? ''))))));
};
const fields = schema => table(['field', 'type', 'what it is'], Object.entries(schema.properties || {}).map(
  ([name, field]) => [make('code', name + ((schema.required || []).includes(name) ? ' *' : '')), typeOf(field),
    field.description || '']));
const section = (node, title, body) => { node.append(make('h4', title), body); };
const draw = (method, path, operation, all) => {
  const node = make('details', '', make('summary', '', make('b', method.toUpperCase()), make('code', path),
    make('span', operation.summary)));
  node.id = operation.operationId;
  if (operation.description) node.append(make('p', operation.description));
  const scopes = operation.security.flatMap(entry => Object.values(entry).flat());
  node.append(make('p', operation.security.length ? 'API key' + (scopes.length ? ', scope ' + scopes.join(', ') : '')
    : 'No key needed'));
  const parameters = operation.parameters.map(one => resolve(one, all));
  if (parameters.length) section(node, 'Parameters', table(['name', 'in', 'type', 'what it is'],
    parameters.map(one => [make('code', one.name), one.in, typeOf(one.schema), one.description])));
  if (operation.requestBody) {
    const content = operation.requestBody.content['application/json'];
    section(node, 'Body', fields(resolve(content.schema, all)));
    for (const example of Object.values(content.examples || {})) node.append(pre(example.value));
  }
  for (const [status, part] of Object.entries(operation.responses)) {
    const answer = resolve(part, all);
    section(node, status, make('p', answer.description));
    for (const [type, content] of Object.entries(answer.content || {})) {
      if (status >= 400) continue;
      node.append(make('code', type));
      for (const example of Object.values(content.examples || {})) node.append(pre(resolve(example, all).value));
      if (content.example) node.append(pre(content.example));
    }
  }
  return node;
};
fetch('openapi.json').then(answer => answer.json()).then(doc => {
  const page = document.querySelector('main');
  page.replaceChildren(make('h1', doc.info.title + ' ' + doc.info.version), make('p', doc.info.description));
  for (const tag of doc.tags) {
    page.append(make('h2', tag.name));
    for (const [path, methods] of Object.entries(doc.paths))
      for (const [method, operation] of Object.entries(methods))
        if (operation.tags.includes(tag.name)) page.append(draw(method, path, operation, doc.components));
  }
  page.append(make('h2', 'Schemas'));
  for (const [name, schema] of Object.entries(doc.components.schemas)) {
    const node = make('details', '', make('summary', '', make('code', name)));
    if (schema.description) node.append(make('p', schema.description));
    node.append(fields(schema));
    page.append(node);
  }
}).catch(() => { document.querySelector('main').textContent = 'The document could not be loaded: /openapi.json'; });
"""


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


DOCS_PAGE = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Parley API</title>'
    '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
    f"<style>{_STYLE}</style></head><body><main>Loading <a href='openapi.json'>openapi.json</a> …</main>"
    f"<script>{_SCRIPT}</script></body></html>"
)
DOCS_PAGE_POLICY = (
    f"default-src 'none'; connect-src 'self'; img-src data:; style-src {_digest(_STYLE)}; "
    f"script-src {_digest(_SCRIPT)}; base-uri 'none'; frame-ancestors 'none'"
)
