import type { Finding } from '../migration/finding.ts';
import type { Script } from '../migration/migration.ts';
import { Lines } from '../sql/lines.ts';
import type { Comment, Oddity } from '../sql/split.ts';
import type { Statement } from '../sql/statement.ts';
import { ALLOW_FORM, type Allowance, allowancesOf } from './allow.ts';
import type { Catalog } from './catalog.ts';
import { hazardKind, isSeen } from './hazards.ts';
import type { Hazard } from './rule.ts';

const SHOWN = { lines: 6, characters: 500 };
/** Enough to see what is wrong with a file; thousands of annotations help nobody. */
const MOST = 1000;

/** Collects the findings of a script, each at its place, and what comments allow. */
export class ScriptFindings {
  readonly all: Finding[] = [];
  readonly #script: Script;
  readonly #catalog: Pick<Catalog, 'isSmall'>;
  readonly #lines: Lines;
  #statement: Statement | undefined;
  #allowed: readonly Allowance[] = [];
  readonly #used = new Set<Allowance>();
  readonly #told = new Set<string>();

  constructor(script: Script, catalog: Pick<Catalog, 'isSmall'>) {
    this.#script = script;
    this.#catalog = catalog;
    this.#lines = new Lines(script.sql, script.firstLine);
  }

  begin(statement: Statement): void {
    this.#statement = statement;
    const { allowed, bad } = allowancesOf(statement.comments);
    this.#allowed = allowed;
    for (const { code, line, message } of bad) {
      this.addAt(
        { code, message, why: 'A hazard without its reason can’t be agreed on later.', remedy: ALLOW_FORM },
        { line },
      );
    }
  }

  /** @param offset character of the statement */
  add(hazard: Hazard, offset: number): void {
    const statement = this.#statement;
    if (!statement) return;
    if (/^(?:lock|statement)-timeout-/.test(hazard.code)) {
      if (this.#told.has(hazard.code)) return;
      this.#told.add(hazard.code);
    }
    const allowance = this.#allowed.find(({ code }) => code === hazard.code);
    if (allowance) this.#used.add(allowance);
    const place = offset === 0 ? statement : this.#lines.at(statement.offset + offset);
    this.#push(hazard, {
      line: place.line,
      column: place.column,
      endLine: Math.max(place.line, statement.endLine),
      statement: excerpt(statement.sql),
      allowed: allowance?.reason,
    });
  }

  addAt(hazard: Hazard, place: { readonly line: number; readonly column?: number }): void {
    this.#push(hazard, place);
  }

  /** After a statement: what was allowed and is not there. */
  end(): void {
    for (const one of this.#allowed.filter((allowance) => !this.#used.has(allowance))) {
      if (isSeen(one.code)) this.#allowUnseen(one);
      else this.#unused(one.code, one.line);
    }
    this.#statement = undefined;
  }

  /** Comments that allow something behind the last statement. */
  unused(comments: readonly Comment[]): void {
    for (const { code, line } of allowancesOf(comments).allowed) this.#unused(code, line);
    for (const { code, line, message } of allowancesOf(comments).bad)
      this.addAt({ code, message, why: 'It allows nothing.', remedy: ALLOW_FORM }, { line });
  }

  /** Stands for what a rehearsal may tell of the statement, which is then agreed to. */
  #allowUnseen({ code, reason }: Allowance): void {
    const hazard: Hazard = {
      code,
      severity: 'notice',
      message: `${code} is allowed here`,
      why: 'Only a rehearsal shows whether the statement does it.',
      remedy: 'Delete the comment once it is no longer meant.',
    };
    const { line, column, endLine, sql } = this.#statement ?? {};
    if (line === undefined || sql === undefined) return;
    this.#push(hazard, {
      line,
      ...(column !== undefined && { column }),
      ...(endLine !== undefined && { endLine }),
      statement: excerpt(sql),
      allowed: reason,
    });
  }

  #unused(code: string, line: number): void {
    this.addAt(
      {
        code: 'allow-unused',
        message: `${code} is allowed here, but the statement below has no such hazard`,
        why: 'It would hide one that comes later.',
        remedy: 'Delete the comment.',
      },
      { line },
    );
  }

  leftOpen(line: number): void {
    this.addAt(
      {
        code: 'transaction-left-open',
        message: 'the transaction that begins here is never committed',
        why: 'At the end of the script it is taken back, or holds its locks until the session ends.',
        remedy: 'End it with COMMIT.',
      },
      { line },
    );
  }

  addOddity({ kind, what }: Oddity, place: { readonly line: number; readonly column: number }): void {
    if (kind === 'unterminated') {
      this.addAt(
        {
          code: 'syntax-error',
          message: `the ${what} that begins here never ends`,
          why: 'All that follows belongs to it.',
          remedy: 'Close it.',
        },
        place,
      );
    } else if (kind === 'psql-command') {
      this.addAt(
        {
          code: 'psql-command',
          message: `\`${what}\` is a command of psql; no server and no other client knows it`,
          why: 'The script fails here.',
          remedy: 'Leave it out, or run the script by psql itself.',
        },
        place,
      );
    } else {
      this.addAt(
        {
          code: 'copy-from-stdin',
          message: 'the data of COPY … FROM stdin is read by psql alone',
          why: 'Other clients send it to the server as SQL, or wait for data that never comes.',
          remedy: 'Write INSERT, or load the data apart from the schema.',
        },
        place,
      );
    }
  }

  #push(hazard: Hazard, at: Where): void {
    if (this.all.length >= MOST) return;
    const kind = hazardKind(hazard.code);
    const phase = hazard.phase ?? kind.phase;
    const isSoonDone =
      kind.bySize === true && phase === undefined && this.#catalog.isSmall(hazard.table ?? hazard.lock?.relation ?? '');
    this.all.push({
      code: hazard.code,
      severity: isSoonDone ? 'notice' : (hazard.severity ?? kind.severity),
      place: {
        file: this.#script.file,
        line: at.line,
        ...(at.column !== undefined && { column: at.column }),
        ...(at.endLine !== undefined && { endLine: at.endLine }),
      },
      message: hazard.message,
      why: hazard.why,
      remedy: hazard.remedy,
      source: 'lint',
      ...(hazard.rewrite !== undefined && { rewrite: hazard.rewrite }),
      ...(at.statement !== undefined && { statement: at.statement }),
      ...(hazard.lock && { lock: hazard.lock }),
      ...(phase !== undefined && (hazard.severity ?? kind.severity) !== 'notice' && { phase }),
      ...(at.allowed !== undefined && { allowed: at.allowed }),
    });
  }
}

interface Where {
  readonly line: number;
  readonly column?: number;
  readonly endLine?: number;
  readonly statement?: string;
  readonly allowed?: string | undefined;
}

/** The statement in so few lines that it can be shown beside the finding. */
function excerpt(sql: string): string {
  const lines = sql.split('\n');
  const cut = lines.slice(0, SHOWN.lines).join('\n').slice(0, SHOWN.characters);
  return cut.length < sql.length ? `${cut}…` : cut;
}
