import { UserError } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import { type Manners, ask, jsonOf, serviceUrl } from '../http/ask.ts';
import type { ResolvedPackage } from '../packages/package.ts';
import { objectList, textOf } from '../packages/values.ts';
import { isObject } from '../project/json.ts';
import { eachOf } from '../task/each.ts';

/** A record of https://ossf.github.io/osv-schema/, unchecked but for its id. */
export type OsvRecord = Readonly<Record<string, unknown>> & { readonly id: string };

/** The records that concern a package. */
export interface Affected {
  readonly package: ResolvedPackage;
  readonly records: readonly OsvRecord[];
}

/** The API's own limit, https://google.github.io/osv.dev/post-v1-querybatch/. */
const BATCH = 1000;
const AT_ONCE = 8;
/** A project with more than these has one problem, not a thousand. */
const MAX_RECORDS = 1000;
const MAX_PAGES = 20;

const ECOSYSTEMS = { npm: 'npm', pypi: 'PyPI' } as const;

/**
 * Asks OSV (https://osv.dev, which gathers GitHub's, PyPI's and other advisories) about packages. Their names and
 * versions are sent there; `OSV_URL` of the environment names a mirror.
 * @throws UserError when it cannot be asked
 */
export async function askOsv(
  packages: readonly ResolvedPackage[],
  host: Pick<Host, 'env' | 'clock' | 'signal'>,
  patience: Pick<Manners, 'timeout' | 'attempts'> = {},
): Promise<readonly Affected[]> {
  const base = serviceUrl(host.env, 'OSV_URL', 'https://api.osv.dev');
  const manners = {
    ...patience,
    what: `The vulnerability database ${base}`,
    remedy: 'Run the job again; set OSV_URL to a mirror of OSV where the runner may not reach it.',
  };
  const json = async (path: string, body?: object): Promise<Readonly<Record<string, unknown>>> => {
    const question =
      body === undefined ? { url: `${base}${path}` } : { url: `${base}${path}`, method: 'POST' as const, body };
    const answer = await ask(question, manners, host);
    const value = jsonOf(answer);
    if (answer.status === 200 && isObject(value)) return value;
    throw new UserError(`${manners.what} answers ${answer.status}`, { remedy: manners.remedy });
  };

  const ids = new Map<ResolvedPackage, string[]>();
  let left = packages.map((one) => ({ one, token: '' }));
  for (let page = 0; left.length > 0 && page < MAX_PAGES; page += 1) {
    const next: typeof left = [];
    for (let at = 0; at < left.length; at += BATCH) {
      const batch = left.slice(at, at + BATCH);
      const results = (await json('/v1/querybatch', { queries: batch.map(queryOf) }))['results'];
      const list: readonly unknown[] = Array.isArray(results) ? results : [];
      if (list.length !== batch.length) throw new UserError(`${manners.what} did not answer about every package`);
      batch.forEach(({ one }, index) => {
        const result = list[index];
        if (!isObject(result)) return;
        const found = objectList(result['vulns']).flatMap(({ id }) => textOf(id) ?? []);
        if (found.length > 0) ids.set(one, [...(ids.get(one) ?? []), ...found]);
        const token = textOf(result['next_page_token']);
        if (token !== undefined) next.push({ one, token });
      });
    }
    left = next;
  }

  const wanted = [...new Set([...ids.values()].flat())].filter((id) => /^[\w.-]{1,100}$/.test(id));
  // What is left out could be what a gate is there for.
  if (left.length > 0 || wanted.length > MAX_RECORDS) {
    throw new UserError(`${manners.what} knows more than ${MAX_RECORDS} vulnerabilities of these packages`, {
      remedy:
        'Update the dependencies that the lockfile names; where they are not that old, see what answers at OSV_URL.',
    });
  }
  const records = new Map<string, OsvRecord>();
  await eachOf(wanted, AT_ONCE, async (id) => {
    records.set(id, { ...(await json(`/v1/vulns/${id}`)), id });
  });
  return [...ids].map(([one, own]) => ({
    package: one,
    records: own.flatMap((id) => records.get(id) ?? []).filter((record) => record['withdrawn'] === undefined),
  }));
}

function queryOf({ one, token }: { readonly one: ResolvedPackage; readonly token: string }): object {
  const { ecosystem, name, version } = one;
  return { package: { name, ecosystem: ECOSYSTEMS[ecosystem] }, version, ...(token !== '' && { page_token: token }) };
}
