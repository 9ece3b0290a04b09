import { UserError } from '../action/errors.ts';
import type { Clock } from '../action/host.ts';
import { isRecord, textAt } from '../kube/fields.ts';
import { type Moment, canaryKey, isBeginning } from './moment.ts';
import { type Ask, type Target, accepted, below } from './target.ts';

export interface AlertmanagerSettings {
  readonly url: string;
  /** The whole Authorization header; none where the address is open. */
  readonly authorization?: string;
  /** What of the header is secret. */
  readonly secrets: readonly string[];
}

/** A dead runner leaves a silence of this length at most. */
const SILENCE_MS = 10 * 60_000;

/**
 * Alertmanager: the alerts of the canary's own pods are silent while it runs, as somebody watches it already. The
 * silence is found again by its comment, so a run that resumes renews it.
 * https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
 */
export function alertmanager(settings: AlertmanagerSettings, clock: Pick<Clock, 'now'>): Target {
  const { url, authorization, secrets } = settings;
  const headers = authorization === undefined ? {} : { authorization };

  const open = async (moment: Moment, ask: Ask): Promise<readonly Readonly<Record<string, unknown>>[]> => {
    const filter = new URLSearchParams({ filter: `namespace=${JSON.stringify(moment.namespace)}` }).toString();
    const all = accepted(await ask({ url: below(url, `/api/v2/silences?${filter}`), headers }));
    if (!Array.isArray(all)) throw new UserError('its answer is no list of silences', { remedy: 'check its address' });
    const isOurs = (one: Readonly<Record<string, unknown>>): boolean =>
      ['active', 'pending'].includes(textAt(one, 'status', 'state')) &&
      textAt(one, 'comment').startsWith(canaryKey(moment));
    return all.filter(isRecord).filter(isOurs);
  };
  const renew = async (moment: Moment, ask: Ask): Promise<void> => {
    const [found] = await open(moment, ask);
    const now = clock.now();
    const body = {
      // With the same matchers and start the silence itself is prolonged; with others there would be a second one.
      ...(found && { id: textAt(found, 'id') }),
      startsAt: found ? textAt(found, 'startsAt') : new Date(now).toISOString(),
      endsAt: new Date(now + SILENCE_MS).toISOString(),
      matchers: matchersOf(moment),
      createdBy: 'delivery-actions',
      comment: `${canaryKey(moment)} (${moment.version}) ${moment.runUrl}`.trim(),
    };
    accepted(await ask({ url: below(url, '/api/v2/silences'), method: 'POST', headers, body }));
  };
  const expire = async (moment: Moment, ask: Ask): Promise<void> => {
    const found = await open(moment, ask);
    const ids = found.map((one) => encodeURIComponent(textAt(one, 'id')));
    await Promise.all(
      ids.map(async (id) =>
        accepted(await ask({ url: below(url, `/api/v2/silence/${id}`), method: 'DELETE', headers })),
      ),
    );
  };
  return {
    what: 'Alertmanager',
    secrets,
    tell: async (moment, ask) => (isBeginning(moment) ? renew(moment, ask) : expire(moment, ask)),
    renew,
  };
}

/** @throws UserError for a pattern that would silence more than the canary's pods */
function matchersOf({ namespace, workload, canaryPods }: Moment): readonly object[] {
  // Alerts without the label have it as '', which a pattern may fit too; the other is how a stable pod is called.
  const others = ['', workload, `${workload}-6d4cf56db6-x7x2z`];
  const pattern = new RegExp(`^(?:${canaryPods})$`);
  if (others.some((name) => pattern.test(name))) {
    throw new UserError(`the pattern ${JSON.stringify(canaryPods)} of the canary's pods fits others too`, {
      remedy: 'give one that fits the names of its pods alone',
    });
  }
  const equal = { isEqual: true };
  return [
    { name: 'namespace', value: namespace, isRegex: false, ...equal },
    { name: 'pod', value: canaryPods, isRegex: true, ...equal },
  ];
}
