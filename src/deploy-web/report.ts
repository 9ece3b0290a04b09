import type { UserError } from '../action/errors.ts';
import { describe } from '../action/errors.ts';
import type { RunInfo } from '../action/host.ts';
import { type Markdown, code, details, link, md, paragraphs, raw, table, text } from '../action/markdown.ts';
import type { Kind } from '../site/kind.ts';
import type { Release } from '../site/release.ts';
import type { Verdict, WebRecord } from './record.ts';

/** Everything the summary of a run tells. */
export interface WebReport {
  readonly verdict: Verdict;
  readonly environment: string;
  readonly bucket: string;
  readonly url: string;
  readonly info: RunInfo;
  readonly record: WebRecord;
  readonly preview: number | undefined;
  /** Why it failed. */
  readonly fault?: UserError;
}

const KINDS: Readonly<Record<Kind, string>> = {
  asset: 'files with a hash in their name',
  other: 'other files',
  page: 'pages',
  worker: 'service workers',
};

/** The summary page: verdict, reason, what changed, how to go back, details folded. */
export function summary(report: WebReport): Markdown {
  const { record, fault, verdict } = report;
  const [first, ...others] = fault?.problems ?? [];
  return paragraphs(
    headline(report),
    preview(report),
    first && md`**Why:** ${first.message}`,
    ...others.slice(0, 20).map((problem) => md`- ${describe(problem)}`),
    ...(verdict === 'rolled-back' || verdict === 'removed' ? [] : [changes(record)]),
    putBack(report),
    edgeLine(record),
    ...record.notes.map((note) => md`⚠️ ${note}`),
    oldFiles(report),
    first?.remedy !== undefined && others.length === 0 && md`**What to do:** ${first.remedy}`,
    wayBack(report),
    folded(record),
    origin(report),
  );
}

function headline({ verdict, environment, record, preview: number, bucket }: WebReport): Markdown {
  const what = number === undefined ? 'The site' : `The preview of #${number}`;
  const where = environment === '' || number !== undefined ? '' : ` to ${environment}`;
  const seconds = record.seconds.toFixed(0);
  const seen = record.isSeen ? ', and its address shows it' : '';
  switch (verdict) {
    case 'deployed':
      return md`### ✅ ${what} is deployed${where} after ${seconds} s${seen}`;
    case 'unchanged':
      return md`### ✅ ${what} is served${where === '' ? '' : ` in ${environment}`} already: nothing had to change`;
    case 'checked':
      return md`### 📋 What would change${where === '' ? '' : ` in ${environment}`}, with nothing changed`;
    case 'rolled-back':
      return md`### ↩️ The site is back${where === '' ? '' : ` in ${environment}`} at ${raw(releaseOf(record.release))} after ${seconds} s${seen}`;
    case 'removed':
      return md`### 🧹 ${what} is removed: ${record.deleted} objects are gone from ${raw(code(bucket))}`;
    case 'superseded':
      return md`### ⏭️ The site was not deployed${where} — a later run's release is served`;
    case 'timed-out':
      return md`### ⏳ ${what} is in place${where === '' ? '' : ` in ${environment}`}, but CloudFront has not confirmed it yet`;
    case 'cancelled':
      return md`### 🛑 The run was cancelled${where === '' ? '' : ` for ${environment}`} — ${standing(record)}`;
    case 'failed':
      if (record.visible === 'new')
        return md`### ❌ The new release is in the bucket${where}, but not all visitors get it`;
      return md`### ❌ ${what} was not deployed${where} — ${standing(record)}`;
  }
}

/** What visitors get, at the end of a sentence. */
function standing({ visible, progress, toSwitch, previous }: WebRecord): string {
  if (visible === 'new') return 'the new release is in the bucket, and CloudFront may not know yet';
  if (visible === 'mixed') return `${progress.switched} of ${toSwitch} files are the new ones already`;
  if (previous === undefined) return progress.uploaded === 0 ? 'nothing was changed' : 'visitors see nothing of it yet';
  return `the old release (${previous.id}) is served, whole as before`;
}

function releaseOf(release: WebRecord['release']): Markdown {
  return release === undefined ? text('no release') : code(release.id);
}

function changes({ rows }: WebRecord): Markdown | false {
  if (rows.length === 0) return false;
  const cells = rows.map(({ kind, files, changed, bytes }) => [
    text(KINDS[kind]),
    text(String(files)),
    text(changed === 0 ? 'none' : String(changed)),
    text(changed === 0 ? '' : size(bytes)),
  ]);
  return table(['what', 'files', 'new or changed', 'their size'], cells);
}

/** What a rollback has done, with both commits: the run's own commit is neither. */
function putBack({ verdict, record: { release, previous, progress } }: WebReport): Markdown | false {
  if (verdict !== 'rolled-back' || release === undefined) return false;
  const files = `${progress.switched} ${progress.switched === 1 ? 'file was' : 'files were'} put back`;
  const instead =
    previous === undefined || previous.id === release.id
      ? ''
      : md`, in place of ${raw(code(previous.id))}${raw(commitOf(previous))}`;
  return md`**Served now:** ${raw(code(release.id))}${raw(commitOf(release))}${raw(instead as Markdown)}; ${files}, nothing was uploaded.`;
}

function commitOf({ commit }: Pick<Release, 'commit'>): Markdown {
  return commit === '' ? text('') : md` (commit ${raw(code(commit.slice(0, 7)))})`;
}

function edgeLine({ invalidation }: WebRecord): Markdown | false {
  if (invalidation === undefined) return false;
  const { paths, seconds, id } = invalidation;
  const shown = paths
    .slice(0, 5)
    .map((path) => code(path))
    .join(', ');
  const more = paths.length > 5 ? ` and ${paths.length - 5} more` : '';
  const when = seconds === undefined ? 'not confirmed yet' : `everywhere after ${seconds.toFixed(0)} s`;
  return md`**CloudFront:** invalidated ${raw(shown as Markdown)}${more}, ${when} (${raw(code(id))})`;
}

function oldFiles({ record, verdict }: WebReport): Markdown | false {
  const { kept, deleted } = record;
  if (verdict !== 'deployed' && verdict !== 'rolled-back') return false;
  const gone = deleted === 0 ? '' : ` ${deleted} objects that none of them needs were deleted.`;
  if (kept.releases === 0) return gone === '' ? false : md`**Old files:**${gone}`;
  const until =
    kept.until === undefined
      ? ''
      : `, ${kept.releases === 1 ? '' : 'the first of them '}until ${new Date(kept.until).toISOString().slice(0, 10)} or longer`;
  const releases = kept.releases === 1 ? 'one earlier release stay' : `${kept.releases} earlier releases stay`;
  return md`**Old files:** those of ${releases}${until}, so that pages which are still open find theirs.${gone}`;
}

function wayBack({ record: { previous, release, visible }, verdict }: WebReport): Markdown | false {
  if (previous === undefined || previous.id === release?.id) return false;
  // Where the old release is served as before, there is nothing to go back from.
  if (!['deployed', 'timed-out', 'rolled-back', 'failed'].includes(verdict) || visible === 'old') return false;
  const to = code(`action: rollback, to: ${previous.id}`);
  const wish = verdict === 'rolled-back' ? 'To undo this' : 'To go back';
  return md`**${wish}:** run deploy-web with ${raw(to)}${raw(commitOf(previous))}; nothing is built or uploaded for it.`;
}

function preview({ preview: number, url, verdict }: WebReport): Markdown | false {
  if (number === undefined || url === '' || (verdict !== 'deployed' && verdict !== 'unchanged')) return false;
  return md`**Look at it:** ${raw(link(url, url))}`;
}

function folded({ invalidation, settings, release, tool }: WebRecord): Markdown | false {
  const parts = [
    release &&
      md`The release ${raw(code(release.id))} has the content ${raw(code(release.content))}: the same build has the same in every environment.`,
    tool !== '' && md`Built by ${tool}.`,
    settings.length > 0 && md`Settings in config.json: ${settings.slice(0, 50).join(', ')}`,
    (invalidation?.paths.length ?? 0) > 5 && md`Invalidated: ${(invalidation?.paths ?? []).join(' ')}`,
  ].filter((part) => part !== false && part !== undefined);
  return parts.length > 0 && details('Release', paragraphs(...parts));
}

function origin({ info, url, bucket, verdict }: WebReport): Markdown {
  const parts = [
    info.sha && verdict !== 'rolled-back' && md`commit ${raw(code(info.sha.slice(0, 7)))}`,
    info.actor && md`by ${info.actor}`,
    bucket && md`bucket ${raw(code(bucket))}`,
    url && link(url, url),
  ];
  return parts.filter((part) => part !== '' && part !== false).join(' · ') as Markdown;
}

function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
