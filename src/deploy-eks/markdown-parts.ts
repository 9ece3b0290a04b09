import { showPlace, type Place } from '../action/errors.ts';
import type { RunInfo } from '../action/host.ts';
import { type Markdown, code, details, link, md, paragraphs, text } from '../action/markdown.ts';
import type { FieldChange } from '../kube/changes.ts';

const MAX_CHANGES = 6;

/** Field changes on one line, such as ``image `sha256:1f…` -> `sha256:8a…` ``; those beyond the first few are counted. */
export function showChanges(changes: readonly FieldChange[]): Markdown {
  const shown = changes.slice(0, MAX_CHANGES).map(showChange);
  const more = changes.length - MAX_CHANGES;
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join(', ') as Markdown;
}

function showChange({ how, what, from, to }: FieldChange): Markdown {
  const name = text(what, 120);
  if (how === 'changed' && from !== undefined && to !== undefined)
    return `${name} ${code(from)} → ${code(to)}` as Markdown;
  const value = how === 'added' ? to : how === 'removed' ? from : undefined;
  return `${name} ${how}${value === undefined ? '' : ` (${code(value)})`}` as Markdown;
}

/** A line of the repository, as a link to it at this commit. */
export function showFileLine(place: Place, { serverUrl, repository, sha }: RunInfo): Markdown {
  const anchor = place.line === undefined ? '' : `#L${place.line}`;
  const file = place.file.split('/').map(encodeURIComponent).join('/');
  if (repository === '' || sha === '') return code(showPlace(place));
  return link(showPlace(place), `${serverUrl}/${repository}/blob/${sha}/${file}${anchor}`);
}

/** A list of lines, cut at 50. */
export function bullets(items: readonly (string | Markdown)[]): Markdown {
  return items
    .slice(0, 50)
    .map((item) => `- ${text(item, 500)}`)
    .join('\n') as Markdown;
}

/** Lists that only some readers need, folded together; nothing when all are empty. */
export function folded(lists: Readonly<Record<string, readonly string[]>>): Markdown | false {
  const filled = Object.entries(lists).filter(([, items]) => items.length > 0);
  if (filled.length === 0) return false;
  const title = filled.map(([name, items]) => `${name} (${items.length})`).join(', ');
  return details(title, paragraphs(...filled.flatMap(([name, items]) => [md`**${name}**`, bullets(items)])));
}
