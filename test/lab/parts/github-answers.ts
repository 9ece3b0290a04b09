import { readDescription } from './github-description.ts';
import { type Answer, type Asked, json } from './stand-in.ts';
import { isObject } from './values.ts';

/** What GitHub keeps of one kind, and the paths that make, list and change it. */
interface Kind {
  readonly create: string;
  readonly list?: string;
  readonly item?: string;
  /** Field of the list's answer that holds the items; the answer is the list itself without it. */
  readonly within?: string;
  /** What a new one hangs on: the path's parameter or the request's field. */
  readonly parent?: { readonly create: string; readonly list: string };
  /** Fields that a list can be narrowed by. */
  readonly filters?: readonly string[];
  /** What a new one has whatever the request says. */
  readonly always?: Readonly<Record<string, unknown>>;
}

interface Kept {
  readonly kind: Kind;
  readonly repository: string;
  readonly parent: string;
  readonly id: number;
  value: Readonly<Record<string, unknown>>;
}

const repo = '/repos/{owner}/{repo}';
const deployments: Kind = {
  create: `${repo}/deployments`,
  list: `${repo}/deployments`,
  item: `${repo}/deployments/{deployment_id}`,
  filters: ['sha', 'ref', 'task', 'environment'],
};
const statuses: Kind = {
  create: `${repo}/deployments/{deployment_id}/statuses`,
  list: `${repo}/deployments/{deployment_id}/statuses`,
  parent: { create: 'deployment_id', list: 'deployment_id' },
};
const kinds: readonly Kind[] = [
  deployments,
  statuses,
  {
    create: `${repo}/issues/{issue_number}/comments`,
    list: `${repo}/issues/{issue_number}/comments`,
    item: `${repo}/issues/comments/{comment_id}`,
    parent: { create: 'issue_number', list: 'issue_number' },
    // So does GitHub show who writes with the token of a job.
    always: { user: { login: 'github-actions[bot]', type: 'Bot' } },
  },
  {
    create: `${repo}/statuses/{sha}`,
    list: `${repo}/commits/{ref}/statuses`,
    parent: { create: 'sha', list: 'ref' },
  },
  {
    create: `${repo}/check-runs`,
    list: `${repo}/commits/{ref}/check-runs`,
    item: `${repo}/check-runs/{check_run_id}`,
    within: 'check_runs',
    parent: { create: 'head_sha', list: 'ref' },
  },
  { create: `${repo}/attestations` },
];

/**
 * GitHub's REST API for deployments, statuses, comments and checks, kept in memory. A request that GitHub's description
 * forbids gets 422; an answer starts from GitHub's own example, and one that the description forbids is a fault of the
 * lab (500). What the description has and the lab has not is 501.
 */
export function githubAnswers(token: string): (asked: Asked) => Answer {
  const find = readDescription();
  const kept: Kept[] = [];

  return ({ method, url, headers, body }) => {
    if (!(headers.authorization ?? '').endsWith(` ${token}`)) return json(401, { message: 'Bad credentials' });
    const operation = find(method, url.pathname);
    if (operation === undefined) return json(404, { message: 'Not Found' });
    const sent: unknown = body === '' ? {} : JSON.parse(body);
    const wrong = operation.requestFault(url.searchParams, sent);
    if (wrong !== undefined) return json(422, { message: `Invalid request. ${wrong}` });

    const { path, parameters } = operation;
    const repository = `${parameters['owner']}/${parameters['repo']}`;
    const given: Readonly<Record<string, unknown>> = { ...parameters, ...(isObject(sent) ? sent : {}) };
    const field = (key = ''): string => (typeof given[key] === 'string' ? given[key] : '');
    const made = act();
    if (made === undefined) return json(501, { message: `The lab's GitHub has no ${method} ${path}` });
    if (made.status === 404) return json(404, { message: 'Not Found' });
    const fault = operation.answerFault(made.status, made.value);
    if (fault !== undefined) throw new Error(`${method} ${path} would answer what GitHub never does: ${fault}`);
    return made.status === 204 ? { status: 204, body: '' } : json(made.status, made.value);

    function act(): { status: number; value?: unknown } | undefined {
      const creates = method === 'POST' ? kinds.find(({ create }) => create === path) : undefined;
      if (creates) return create(creates);
      const lists = method === 'GET' ? kinds.find(({ list }) => list === path) : undefined;
      if (lists) return { status: 200, value: list(lists) };
      const kind = kinds.find(({ item }) => item === path);
      return kind ? change(kind) : undefined;
    }

    function create(kind: Kind) {
      const parent = field(kind.parent?.create);
      if (kind === statuses && itemOf(deployments, Number(parent)) === undefined) return { status: 404 };
      const id = kept.length + 1;
      // A deployment is asked for by a ref, which GitHub looks up; here it is a commit already.
      const commit = kind === deployments ? { sha: field('ref') } : {};
      const value = overlaid(operation?.example(201), { conclusion: null, ...given, ...commit, ...kind.always, id });
      kept.push({ kind, repository, parent, id, value });
      return { status: 201, value };
    }

    function list(kind: Kind): unknown {
      const parent = field(kind.parent?.list);
      const values = kept
        .filter((one) => one.kind === kind && one.repository === repository && one.parent === parent)
        .map(({ value }) => value)
        .filter((value) => (kind.filters ?? []).every((key) => [null, value[key]].includes(url.searchParams.get(key))))
        .toReversed();
      return kind.within === undefined ? values : { total_count: values.length, [kind.within]: values };
    }

    function change(kind: Kind): { status: number; value?: unknown } | undefined {
      const item = itemOf(kind, Number(Object.values(parameters).at(-1)));
      if (item === undefined) return { status: 404 };
      if (method === 'DELETE') {
        kept[kept.indexOf(item)] = { ...item, repository: '' };
        return { status: 204 };
      }
      if (method === 'PATCH') item.value = overlaid(item.value, given);
      else if (method !== 'GET') return undefined;
      return { status: 200, value: item.value };
    }

    function itemOf(kind: Kind, id: number): Kept | undefined {
      return kept.find((one) => one.kind === kind && one.repository === repository && one.id === id);
    }
  };
}

/** The base with what was given in place of its own fields; fields that the base lacks are left out. */
function overlaid(base: unknown, given: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (!isObject(base)) throw new Error('GitHub gives no example of this answer');
  const entries = Object.entries(base).map(([key, value]) => {
    const own = given[key];
    if (own === undefined) return [key, value];
    return [key, isObject(own) && isObject(value) && key !== 'payload' ? overlaid(value, own) : own];
  });
  return Object.fromEntries(entries) as Record<string, unknown>;
}
