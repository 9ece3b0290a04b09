import { type Markdown, block, code, details, md, paragraphs, raw, table, text } from '../action/markdown.ts';
import { describeActivity } from '../postgres/activity.ts';
import { inWords } from './judge.ts';
import type { RepairOutcome, StatusOutcome } from './outcome.ts';
import { bytesInWords, counted } from './report-parts.ts';
import type { Survey, Surveyed } from './survey.ts';

const MAX_ROWS = 100;

/** The database on one line, with what was pending when it was asked. */
export function databaseLine(survey: Survey): Markdown {
  const pending = survey.sets.reduce((sum, one) => sum + one.pending.length, 0);
  const all = survey.sets.reduce((sum, one) => sum + one.set.migrations.length, 0);
  return md`${raw(serverLine(survey))}; ${pending} of ${counted(all, 'migration')} pending.`;
}

/** The database on one line. */
export function serverLine({ server, connected }: Survey): Markdown {
  const sessions = connected.reduce((sum, one) => sum + one.sessions, 0);
  const product = server.product ?? `PostgreSQL ${Math.floor(server.version / 10_000)}.${server.version % 10_000}`;
  return md`**Database:** ${raw(code(server.database))}, ${product}, ${counted(sessions, 'other session')} connected`;
}

/** Who is connected, what lasts long, and the largest tables. */
export function surveyDetails({ connected, longTransactions, sizes, invalidIndexes }: Survey): Markdown {
  const largest = [...sizes.values()].slice(0, 20);
  return details(
    'The database now',
    paragraphs(
      longTransactions.length > 0 &&
        ([
          'Transactions that changes would queue behind:',
          ...longTransactions.map((one) => md`- ${describeActivity(one)}`),
        ].join('\n') as Markdown),
      invalidIndexes.length > 0 &&
        md`Invalid indexes (mode: repair mends them): ${invalidIndexes.map(({ name }) => name).join(', ')}`,
      connected.length > 0 &&
        table(
          ['user', 'application', 'sessions'],
          connected.map(({ user, application, sessions }) => [text(user), text(application), text(String(sessions))]),
        ),
      largest.length > 0 &&
        table(
          ['table', 'rows, about', 'size with indexes'],
          largest.map(({ relation, rows, bytes }) => [code(relation), text(inWords(rows)), text(bytesInWords(bytes))]),
        ),
    ),
  );
}

/** The page of `status`: what the database has, and what is pending. */
export function statusSummary({ survey }: StatusOutcome): Markdown {
  const { server, sets, invalidIndexes } = survey;
  const pending = sets.flatMap((one) => one.pending);
  const failed = sets.flatMap(({ applied }) => applied.filter(({ state }) => state === 'failed'));
  const leftovers = sets.flatMap((one) => one.leftovers);
  const broken = failed.length + leftovers.length + invalidIndexes.length;
  return paragraphs(
    broken > 0
      ? md`### ⚠️ ${raw(code(server.database))} holds what a run that died has left`
      : pending.length === 0
        ? md`### ✅ ${raw(code(server.database))} has all migrations`
        : md`### 📋 ${counted(pending.length, 'migration')} ${pending.length === 1 ? 'is' : 'are'} pending in ${raw(code(server.database))}`,
    table(
      ['tool', 'applied', 'pending', 'last one'],
      sets.map((one) => setRow(one)),
    ),
    pending.length > 0 &&
      (pending
        .slice(0, MAX_ROWS)
        .map(({ file }) => md`- ${raw(code(file))}`)
        .join('\n') as Markdown),
    ...failed.map(({ id }) => md`⚠️ ${raw(code(id))} was begun and not finished.`),
    ...leftovers.map(({ what }) => md`⚠️ ${what}.`),
    ...invalidIndexes.map(({ name, table: of }) => md`⚠️ The index ${raw(code(name))} of ${raw(code(of))} is invalid.`),
    broken > 0 && whatToMend(survey),
    databaseLine(survey),
    surveyDetails(survey),
  );
}

function whatToMend({ server, sets, invalidIndexes }: Survey): Markdown {
  const isMendable = invalidIndexes.length > 0 || sets.some(({ leftovers }) => leftovers.length > 0);
  return server.product === undefined && isMendable
    ? md`**What to do:** run ${raw(code('mode: repair'))}: it shows what can be mended, and does so once it is told.`
    : md`**What to do:** apply again: it goes on from there, or says what to look at first.`;
}

function setRow({ set, applied, pending }: Surveyed): readonly Markdown[] {
  const done = applied.filter(({ state }) => state === 'applied');
  const last = done.at(-1);
  const when = last?.at ? ` (${last.at.slice(0, 16).replace('T', ' ')})` : '';
  return [
    text(`${set.tool.title} in ${set.found.directory || '.'}`),
    text(String(done.length)),
    text(String(pending.length)),
    last === undefined ? text('none') : md`${raw(code(last.id))}${when}`,
  ];
}

/** The page of `repair`: what is there to mend, how, and what was mended. */
export function repairSummary({ found }: RepairOutcome): Markdown {
  const of = (state: (typeof found)[number]['state']): number => found.filter((one) => one.state === state).length;
  const [mended, failed, waiting] = [of('mended'), of('failed'), of('found')];
  const head =
    found.length === 0
      ? md`### ✅ There is nothing to mend`
      : failed > 0
        ? md`### ❌ ${counted(failed, 'thing')} could not be mended`
        : mended > 0
          ? md`### 🔧 ${counted(mended, 'thing')} ${mended === 1 ? 'is' : 'are'} mended`
          : md`### ⚠️ ${counted(waiting, 'thing')} can be mended`;
  return paragraphs(
    head,
    ...found.map(({ name, what, mend, sql, state, problem }) =>
      paragraphs(
        md`**${raw(code(name))}** ${{ found: '', mended: '✅ mended: ', failed: '❌ ' }[state]}${what}. ${mend}`,
        problem !== undefined && md`It failed: ${problem}`,
        block(sql.map((one) => `${one};`).join('\n'), 'sql'),
      ),
    ),
    waiting > 0 &&
      md`**What to do:** run this again with ${raw(code('repair: all'))}, or with the names of those that are to be mended.`,
  );
}
