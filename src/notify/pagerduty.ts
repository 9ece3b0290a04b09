import { createHash } from 'node:crypto';
import type { Moment } from './moment.ts';
import { type Ask, type Target, accepted, below } from './target.ts';

export interface PagerDutySettings {
  /** Of the Events API; the EU's service region has another one than the US's. */
  readonly url: string;
  /** The integration key of a service with Events API v2. */
  readonly routingKey: string;
}

const LONGEST_SUMMARY = 1024;
const CHANGES: ReadonlySet<Moment['kind']> = new Set(['started', 'promoted', 'taken-back']);

/**
 * PagerDuty: change events of what happens, and an incident when the traffic could not be taken back, which the next
 * take-back that works resolves.
 * https://developer.pagerduty.com/docs/events-api-v2-overview
 * @param repository part of the incident's key, so that namesakes of other repositories have incidents of their own
 */
export function pagerDuty({ url, routingKey }: PagerDutySettings, repository: string): Target {
  const send = async (ask: Ask, path: string, event: object): Promise<void> => {
    const body = { routing_key: routingKey, ...event };
    accepted(await ask({ url: below(url, path), method: 'POST', body }));
  };
  return {
    what: 'PagerDuty',
    secrets: [routingKey],
    async tell(moment, ask) {
      const key = incidentKey(moment, repository);
      const sent: Promise<void>[] = [];
      if (CHANGES.has(moment.kind)) sent.push(send(ask, '/v2/change/enqueue', changeOf(moment)));
      if (moment.kind === 'take-back-failed') sent.push(send(ask, '/v2/enqueue', incidentOf(moment, key)));
      // Without an open incident of this key PagerDuty takes it, and nothing happens.
      if (moment.kind === 'taken-back') {
        sent.push(send(ask, '/v2/enqueue', { event_action: 'resolve', dedup_key: key }));
      }
      await Promise.all(sent);
    },
  };
}

function changeOf(moment: Moment): object {
  return { payload: payloadOf(moment), links: linksOf(moment) };
}

function incidentOf(moment: Moment, key: string): object {
  const payload = {
    ...payloadOf(moment),
    severity: 'critical',
    component: moment.workload,
    group: moment.namespace,
    class: 'canary',
  };
  return { event_action: 'trigger', dedup_key: key, payload, links: linksOf(moment), client: 'delivery-actions' };
}

function payloadOf({ text, namespace, workload, environment, version, at }: Moment): object {
  return {
    summary: `${namespace}/${workload}: ${text}`.slice(0, LONGEST_SUMMARY),
    source: `${namespace}/${workload}`,
    timestamp: new Date(at).toISOString(),
    custom_details: { namespace, workload, version, ...(environment && { environment }) },
  };
}

function linksOf({ runUrl }: Moment): readonly object[] {
  return runUrl === '' ? [] : [{ href: runUrl, text: 'The run' }];
}

/** The same for every run on one workload, so that a failure tried again is one incident; 255 characters at most. */
function incidentKey({ namespace, workload, environment }: Moment, repository: string): string {
  const place = JSON.stringify([repository, environment, namespace, workload]);
  return `delivery-actions-canary-${createHash('sha256').update(place).digest('hex').slice(0, 32)}`;
}
