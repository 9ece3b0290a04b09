import { type Markdown, block, code, details, md, paragraphs, raw } from '../action/markdown.ts';
import { spoken } from '../postgres/activity.ts';
import type { CaptureOutcome, JobOutcome } from './outcome.ts';
import { counted, findingLine } from './report-parts.ts';
import { keptBefore } from './report-apply.ts';
import { databaseLine, surveyDetails } from './report-survey.ts';

const LAST_LINES = 20;
const MAX_FINDINGS = 20;

/** The page of `apply` in the cluster: what the Job came to, and what it wrote. */
export function jobSummary({ job, command, result, kept, checked, notRehearsed }: JobOutcome): Markdown {
  const { verdict, seconds, exitCode, lines, evidence, resumed } = result;
  const findings = checked.flatMap((one) => one.findings).filter(({ severity }) => severity !== 'notice');
  const name = code(job);
  const after = spoken(seconds);
  const head = {
    succeeded: md`### ✅ The migrations were applied in the cluster by the Job ${raw(name)} after ${after}`,
    failed: md`### ❌ The Job ${raw(name)} failed${exitCode === undefined ? '' : ` with exit code ${exitCode}`} after ${after}`,
    'timed-out': md`### ❌ The Job ${raw(name)} did not end in time (${after})`,
  }[verdict];
  const isDone = verdict === 'succeeded';
  return paragraphs(
    head,
    !isDone && evidence !== undefined && md`**Why:** ${evidence.why} ${evidence.whatToDo}`,
    !isDone && lines.length > 0 && block(lines.slice(-LAST_LINES).join('\n')),
    !isDone &&
      md`**What to do:** mend what the last lines show and run the job again. What it did before stays; mode status shows it where the runner reaches the database.`,
    md`**Command:** ${raw(code(command.join(' ')))}${resumed ? ' (started by an earlier run, and followed to its end)' : ''}`,
    keptBefore(kept),
    notRehearsed !== undefined && md`⚠️ **Not rehearsed**, so judged by its text alone: ${notRehearsed}`,
    findings.length > 0 &&
      details(
        `Findings (${findings.length})`,
        findings
          .slice(0, MAX_FINDINGS)
          .map((finding) => findingLine(finding))
          .join('\n') as Markdown,
      ),
    isDone && lines.length > 0 && details('Its last lines', block(lines.slice(-LAST_LINES).join('\n'))),
  );
}

/** The page of `capture-schema`: what was written where. */
export function captureSummary({ file, sizes, survey, history }: CaptureOutcome): Markdown {
  return paragraphs(
    md`### 📸 The schema of ${raw(code(survey.server.database))} is in ${raw(code(file))}`,
    history.length > 0 &&
      md`Of its data only the rows by which the tools know what they applied: ${raw(history.map((one) => code(one)).join(', ') as Markdown)}.`,
    sizes !== '' && md`The sizes of ${counted(survey.sizes.size, 'table')} are in ${raw(code(sizes))}.`,
    md`**What to do:** commit it, and give it to checks as the input ${raw(code('schema'))}: they rehearse on production's schema then.`,
    databaseLine(survey),
    surveyDetails(survey),
  );
}
