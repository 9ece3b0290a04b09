import { UserError } from '../action/errors.ts';
import type { Moment } from './moment.ts';
import { type Target, accepted } from './target.ts';

export interface WebhookSettings {
  /** Who knows it may post: it is a secret itself. */
  readonly url: string;
}

const LONGEST_TEXT = 3000;

/**
 * A chat's incoming webhook as Slack has it, which Mattermost, Rocket.Chat, Google Chat and others take too.
 * https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
 */
export function webhook({ url }: WebhookSettings): Target {
  return {
    what: 'The webhook',
    secrets: secretsOfUrl(url),
    async tell(moment, ask) {
      if (moment.kind === 'resumed') return;
      const answer = await ask({ url, method: 'POST', body: { text: messageOf(moment) } });
      // Slack's reasons are single words such as `no_service`; what another one says may hold the address.
      const said = answer.body.toString('utf8', 0, 64).trim();
      if (answer.status >= 300 && /^[a-z_]+$/.test(said)) throw new UserError(`it answered ${answer.status}: ${said}`);
      accepted({ ...answer, body: Buffer.alloc(0) });
    },
  };
}

/** The address, and its path and query without which it is worth nothing. */
export function secretsOfUrl(url: string): readonly string[] {
  const { pathname = '', search = '' } = URL.parse(url) ?? {};
  return [url, ...[pathname + search, pathname].filter((part) => part.length >= 8)];
}

const TITLES: Readonly<Record<Moment['kind'], string>> = {
  started: 'Canary started',
  resumed: 'Canary goes on',
  promoted: 'Promoted',
  'taken-back': 'Taken back',
  'take-back-failed': 'TAKING BACK FAILED, a person is needed',
  stopped: 'Canary stopped',
};

function messageOf({ kind, namespace, workload, environment, version, text, runUrl }: Moment): string {
  const what = [`${namespace}/${workload} ${version}`, ...(environment ? [`(${environment})`] : [])].join(' ');
  const words = escaped(`${TITLES[kind]}: ${what}\n${text}`.slice(0, LONGEST_TEXT));
  return runUrl === '' ? words : `${words}\n<${escaped(runUrl)}|The run>`;
}

/** The three characters that Slack escapes, and no word that others take for a call to everybody. */
function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/@(?=(?:here|channel|all|everyone)\b)/g, '@\u200b');
}
