import { useComputed, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { API_BASE, refusalOf } from "../../api/client";
import { useLoaded } from "../../api/useLoaded";
import { Problem } from "../../parts/Problem";
import { href, query } from "../../routing";
import { type Operation, readDocument, type Reference, search } from "./document";
import { Method, OperationView } from "./OperationView";
import { Overview } from "./Overview";
import "./reference.css";

/** The operations of the API, drawn from the document that it serves. */
export function ReferencePage() {
  const { data, problem, again } = useLoaded(load, () => null);
  const reference = data.value;
  if (problem.value) return <Problem refusal={problem.value} again={again} />;
  if (!reference) return <p class="soft" aria-busy="true">Loading …</p>;
  return <Read reference={reference} />;
}

async function load(signal: AbortSignal): Promise<Reference> {
  const answer = await fetch(`${API_BASE}/openapi.json`, { signal });
  if (!answer.ok) throw refusalOf(answer, null);
  return readDocument(await answer.json());
}

function Read({ reference }: { reference: Reference }) {
  const wanted = query.value.get("op");
  const operation = reference.operations.find((one) => one.operationId === wanted);
  useEffect(() => void (document.title = `${operation?.summary ?? "API"} · Parley`), [operation]);
  const narrow = matchMedia("(max-width: 52rem)").matches;
  return (
    <div class="reference">
      <details class="contents" key={narrow ? wanted : "wide"} open={!narrow}>
        <summary>Contents</summary>
        <Contents reference={reference} chosen={operation} />
      </details>
      <div class="reading">
        {operation ? <OperationView key={operation.operationId} operation={operation} reference={reference} /> : wanted ? <Unknown name={wanted} /> : <Overview reference={reference} />}
      </div>
    </div>
  );
}

function Contents({ reference, chosen }: { reference: Reference; chosen: Operation | undefined }) {
  const text = useSignal("");
  const found = useComputed(() => search(reference.operations, text.value));
  return (
    <nav aria-label="Operations">
      <input type="search" placeholder="Search" aria-label="Search the operations" value={text.value} onInput={(event) => (text.value = event.currentTarget.value)} />
      {text.value && <p class="soft small" role="status">{found.value.length} of {reference.operations.length} operations</p>}
      {!text.value && <a class="to-overview" href={href("docs")} aria-current={chosen ? undefined : "page"}>Overview</a>}
      {reference.tags.map((tag) => {
        const operations = found.value.filter((one) => one.tag === tag);
        if (operations.length === 0) return null;
        return (
          <section key={tag} aria-label={tag}>
            <h2>{tag}</h2>
            <ul>
              {operations.map((one) => (
                <li key={one.operationId}>
                  <a href={href(`docs?op=${one.operationId}`)} aria-current={one === chosen ? "page" : undefined}>
                    <Method name={one.method} /> <span>{one.summary}</span>
                  </a>
                </li>
              ))}
            </ul>
          </section>
        );
      })}
    </nav>
  );
}

function Unknown({ name }: { name: string }) {
  return <div class="empty"><h1>There is no operation “{name}”</h1><p><a href={href("docs")}>Overview</a></p></div>;
}
