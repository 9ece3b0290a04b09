import { isRecord, numberAt } from '../kube/fields.ts';
import { type Moment, isBeginning } from './moment.ts';
import { type Ask, type Target, accepted, below } from './target.ts';

export interface GrafanaSettings {
  readonly url: string;
  /** Of a service account that may write annotations. */
  readonly token: string;
  /** Of one dashboard; without it the annotation is the organisation's, and any dashboard may show it by its tags. */
  readonly dashboardUid?: string;
}

const LONGEST_TEXT = 2000;

/**
 * Grafana: an annotation from the canary's start to its end, found again by its tags and start.
 * https://grafana.com/docs/grafana/latest/developers/http_api/annotations/
 */
export function grafana({ url, token, dashboardUid }: GrafanaSettings): Target {
  const headers = { authorization: `Bearer ${token}` };
  const address = below(url, '/api/annotations');

  const find = async (moment: Moment, ask: Ask): Promise<number | undefined> => {
    const time = String(moment.startedAt);
    const query = new URLSearchParams({ from: time, to: time, type: 'annotation', limit: '100' });
    for (const tag of tagsOf(moment)) query.append('tags', tag);
    const all = accepted(await ask({ url: `${address}?${query.toString()}`, headers }));
    const found = (Array.isArray(all) ? all : []).filter(isRecord);
    const ours = found.find((one) => numberAt(one, 'time') === moment.startedAt);
    return ours && numberAt(ours, 'id');
  };
  const create = async (moment: Moment, more: object, ask: Ask): Promise<void> => {
    const where = dashboardUid === undefined ? {} : { dashboardUID: dashboardUid };
    const body = { ...where, time: moment.startedAt, tags: tagsOf(moment), text: textOf(moment), ...more };
    accepted(await ask({ url: address, method: 'POST', headers, body }));
  };
  return {
    what: 'Grafana',
    secrets: [token],
    async tell(moment, ask) {
      const id = await find(moment, ask);
      if (isBeginning(moment)) return id === undefined ? create(moment, {}, ask) : undefined;
      if (id === undefined) return create(moment, { timeEnd: moment.at }, ask);
      const body = { timeEnd: moment.at, text: textOf(moment), tags: tagsOf(moment) };
      accepted(await ask({ url: `${address}/${id}`, method: 'PATCH', headers, body }));
    },
  };
}

function tagsOf({ namespace, workload }: Moment): readonly string[] {
  return ['canary', `${namespace}/${workload}`];
}

/** Grafana shows the text as HTML. */
function textOf({ workload, version, text, runUrl }: Moment): string {
  const words = escaped(`${workload} ${version}: ${text}`.slice(0, LONGEST_TEXT));
  return runUrl === '' ? words : `${words} <a href="${escaped(runUrl)}">The run</a>`;
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
