import { UserError, describe, messageOf } from '../action/errors.ts';
import { graceAfter } from '../action/grace.ts';
import type { Host } from '../action/host.ts';
import { ask } from '../http/ask.ts';
import { alertmanager } from './alertmanager.ts';
import { grafana } from './grafana.ts';
import type { NotifySettings } from './inputs.ts';
import { type Moment, isBeginning } from './moment.ts';
import { pagerDuty } from './pagerduty.ts';
import { type Ask, type Target, withoutSecrets } from './target.ts';
import { webhook } from './webhook.ts';

/** Tells others of a canary. Nothing of it rejects: who cannot be told is one warning, and changes no verdict. */
export interface Notifier {
  /** Tells all targets at once, in 5 s at most; on a cancelled run in half of that. */
  tell(moment: Moment): Promise<void>;
  /**
   * Said at each look while the canary goes on; it returns at once. What would end by itself, so that a dead runner
   * leaves nothing behind, is renewed by it when that is due.
   */
  goesOn(): void;
}

const TOLD_MS = 5000;
/** A cancelled run has about 5 s in all, and the traffic is taken back first. */
const CANCELLED_MS = 2500;
const TRY_MS = 2000;
const ATTEMPTS = 2;
const LARGEST_ANSWER = 4 * 1024 * 1024;
/** Half of what a silence lasts, less what telling takes. */
const RENEW_MS = 4 * 60_000;

type NotifyHost = Pick<Host, 'clock' | 'signal' | 'log' | 'mask' | 'info'>;

/**
 * A notifier of all targets that are set. GitHub's deployments are none of them: `trackedDeployment` follows the whole
 * action, however it ends.
 */
export function notifiers(settings: NotifySettings, host: NotifyHost): Notifier {
  const targets = targetsOf(settings, host);
  for (const secret of targets.flatMap(({ secrets }) => secrets)) if (secret !== '') host.mask(secret);
  const warned = new Set<string>();
  let begun: Moment | undefined;
  let renewedAt = 0;
  let renewing: Promise<unknown> = Promise.resolve();

  /** Gives each target its turn, all at once, and warns once of each moment that one did not take. */
  const each = async (moment: Moment, turn: (target: Target, ask: Ask) => Promise<void> | undefined): Promise<void> => {
    const cancelled = isBeginning(moment) ? host.signal : graceAfter(host.signal, CANCELLED_MS);
    const signal = AbortSignal.any([cancelled, AbortSignal.timeout(TOLD_MS)]);
    const told = async (target: Target): Promise<void> => {
      const manners = { what: 'it', remedy: 'check its address', timeout: TRY_MS, attempts: ATTEMPTS };
      const asking: Ask = async (question) =>
        ask(question, { ...manners, max: LARGEST_ANSWER }, { clock: host.clock, signal });
      try {
        await turn(target, asking);
      } catch (error) {
        const key = `${target.what} ${moment.kind}`;
        const isUnwanted = isBeginning(moment) && host.signal.aborted;
        if (warned.has(key) || isUnwanted) return;
        warned.add(key);
        host.log.warning(
          `${target.what} was not told that ${WHAT[moment.kind]}: ${withoutSecrets(wordsOf(error, signal), target.secrets)}`,
        );
      }
    };
    await Promise.all(targets.map(told));
  };

  return {
    async tell(moment) {
      // A renewal that arrives after the end would begin what has just ended.
      await renewing;
      begun = isBeginning(moment) ? moment : undefined;
      renewedAt = host.clock.now();
      await each(moment, (target, asking) => target.tell(moment, asking));
    },
    goesOn() {
      const now = host.clock.now();
      if (begun === undefined || now - renewedAt < RENEW_MS) return;
      renewedAt = now;
      const moment = { ...begun, at: now };
      renewing = each(moment, (target, asking) => target.renew?.(moment, asking));
    },
  };
}

const WHAT: Readonly<Record<Moment['kind'], string>> = {
  started: 'the canary goes on',
  resumed: 'the canary goes on',
  promoted: 'the canary was promoted',
  'taken-back': 'the canary was taken back',
  'take-back-failed': 'the canary could not be taken back',
  stopped: 'the canary was stopped',
};

function targetsOf(settings: NotifySettings, { info, clock }: NotifyHost): readonly Target[] {
  return [
    ...(settings.pagerDuty ? [pagerDuty(settings.pagerDuty, info.repository)] : []),
    ...(settings.alertmanager ? [alertmanager(settings.alertmanager, clock)] : []),
    ...(settings.grafana ? [grafana(settings.grafana)] : []),
    ...(settings.webhook ? [webhook(settings.webhook)] : []),
  ];
}

function wordsOf(error: unknown, signal: AbortSignal): string {
  if (error instanceof UserError) return describe(error);
  return signal.aborted ? 'no answer in time' : messageOf(error);
}
