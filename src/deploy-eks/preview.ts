import { type Markdown, code, md, paragraphs, table, text } from '../action/markdown.ts';
import { type Change, changeOf } from '../kube/apply.ts';
import { restartsPods } from '../kube/changes.ts';
import { CONCURRENCY, eachOf } from '../task/each.ts';
import { textAt } from '../kube/fields.ts';
import { type Kube, type KubeObject, refOf, showRef } from '../kube/kube.ts';
import { wantedPods } from '../kube/serving.ts';
import type { Checked } from '../kube/validate.ts';
import { showChanges } from './markdown-parts.ts';

/** What a deploy would do to one object. */
export interface Preview extends Change {
  readonly object: KubeObject;
  readonly restarts: boolean;
}

const MAX_ROWS = 60;

/** Compares what the server would store with what is there. */
export async function previewOf(
  kube: Kube,
  checked: readonly Checked[],
  signal: AbortSignal,
): Promise<readonly Preview[]> {
  return eachOf(checked, CONCURRENCY, async ({ document, planned }) => {
    signal.throwIfAborted();
    // What could not be dry-run is of a kind or in a namespace that this very deploy brings: it is new.
    const live = planned && (await kube.get(refOf(planned)));
    const object = planned ?? document.object;
    return { object, ...changeOf(live, object), restarts: live !== undefined && restartsPods(live, object) };
  });
}

/** The summary page of a dry run: how much would change, what, and which pods would start anew. */
export function previewSummary(previews: readonly Preview[], environment: string): Markdown {
  const changed = previews.filter(({ change }) => change !== 'unchanged');
  const where = environment === '' ? '' : ` in ${environment}`;
  if (changed.length === 0)
    return md`### 📋 This change would alter nothing${where}: all ${previews.length} objects are as the manifests say`;
  const rows = changed
    .slice(0, MAX_ROWS)
    .map(({ object, change, changes }) => [
      text(change === 'created' ? '+' : '~'),
      code(showRef(object)),
      change === 'created' ? text('new') : showChanges(changes),
    ]);
  const rest = changed.length - rows.length;
  return paragraphs(
    md`### 📋 This change would alter ${changed.length} of ${previews.length} objects${where}${restartWords(previews)}`,
    table(['', 'object', 'change'], rows),
    rest > 0 && md`and ${rest} more`,
    text('The cluster would accept all of it; nothing was changed.'),
  );
}

/** One line for the log. */
export function previewLine({ object, change, changes }: Preview): string {
  const what = changes.map(({ what }) => what).join(', ');
  return `${change.padEnd(10)} ${showRef(object)}${what === '' ? '' : `: ${what}`}`;
}

function restartWords(previews: readonly Preview[]): string {
  const restarted = previews.filter(({ restarts }) => restarts).map(({ object }) => object);
  if (restarted.length === 0) return ' and restart nothing';
  return ` and restart ${restarted.slice(0, 5).map(restartOf).join(', ')}${restarted.length > 5 ? ` and ${restarted.length - 5} more` : ''}`;
}

function restartOf(object: KubeObject): string {
  const pods = wantedPods(object);
  const count = pods === undefined ? '' : `${pods} ${pods === 1 ? 'pod' : 'pods'}, `;
  const strategy = textAt(object, 'spec', 'strategy', 'type') || textAt(object, 'spec', 'updateStrategy', 'type');
  const way: Readonly<Record<string, string>> = {
    Recreate: 'all at once: it does not answer meanwhile',
    OnDelete: 'each when it is deleted by hand',
  };
  return `${object.metadata.name} (${count}${way[strategy] ?? 'a few at a time'})`;
}
