import type { Problem } from '../action/errors.ts';
import type { RunInfo } from '../action/host.ts';
import { type Markdown, md, paragraphs, raw } from '../action/markdown.ts';
import { showFileLine } from './markdown-parts.ts';
import { origin } from './report.ts';

/** What a refused deploy was. */
export interface Refused {
  readonly environment: string;
  readonly info: RunInfo;
  /** Certainly: the cluster was asked to change nothing. */
  readonly unchanged: boolean;
}

const MAX_SHOWN = 20;

/** The summary page of a deploy that ended before anything was applied: each problem with its line and what mends it. */
export function refusalSummary(problems: readonly Problem[], { environment, info, unchanged }: Refused): Markdown {
  const where = environment === '' ? '' : ` to ${environment}`;
  const more = problems.length - MAX_SHOWN;
  return paragraphs(
    unchanged
      ? md`### ❌ Nothing was deployed${where}, and nothing was changed`
      : md`### ❌ Nothing was seen to be deployed${where}`,
    ...problems.slice(0, MAX_SHOWN).flatMap((problem) => showProblem(problem, info)),
    more > 0 && md`and ${more} more, in the log`,
    origin({ info, url: '', images: [] }),
  );
}

function showProblem({ message, remedy, place }: Problem, info: RunInfo): readonly (Markdown | false)[] {
  return [
    place ? md`**Why:** ${message} (${raw(showFileLine(place, info))})` : md`**Why:** ${message}`,
    remedy !== undefined && md`**What to do:** ${remedy}`,
  ];
}
