import { UserError } from '../action/errors.ts';
import { stripControls } from '../action/log.ts';
import { type Answer, type Question, jsonOf } from '../http/ask.ts';
import type { Moment } from './moment.ts';

/** Somebody who is told of a canary. */
export interface Target {
  /** In words, for warnings. */
  readonly what: string;
  /** What never stands in a text, whoever said it. */
  readonly secrets: readonly string[];
  /** @throws UserError when it is not taken */
  tell(moment: Moment, ask: Ask): Promise<void>;
  /** Said while the canary goes on, for what would end by itself. @throws UserError when it is not taken */
  renew?(moment: Moment, ask: Ask): Promise<void>;
}

/**
 * One request of a target's.
 * @throws UserError when there is no answer in time
 */
export type Ask = (question: Question) => Promise<Answer>;

const SHOWN = 200;

/**
 * The JSON of an answer that says yes.
 * @throws UserError with the status and the service's own words, shortened
 */
export function accepted(answer: Answer): unknown {
  if (answer.status >= 200 && answer.status < 300) return jsonOf(answer);
  const words = stripControls(answer.body.toString('utf8', 0, 4 * SHOWN))
    .replaceAll(/\s+/g, ' ')
    .trim();
  const said = words === '' || words.startsWith('<') ? '' : `: ${words.slice(0, SHOWN)}`;
  const remedy = remedyOf(answer.status);
  throw new UserError(`it answered ${answer.status}${said}`, { ...(remedy !== undefined && { remedy }) });
}

function remedyOf(status: number): string | undefined {
  if (status === 401 || status === 403) return 'check the key, token or password, and that it may write';
  if (status === 404 || status === 410) return 'check the address, and that what it names still exists';
  if (status >= 300 && status < 400) return 'give the address that it redirects to';
  return undefined;
}

/** An address below a base that may have a path of its own. */
export function below(base: string, path: string): string {
  return base.replace(/\/+$/, '') + path;
}

/** Text with its secrets hidden: what a service says may repeat what it was sent. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets.filter((one) => one !== '').reduce((shown, one) => shown.replaceAll(one, '***'), text);
}
