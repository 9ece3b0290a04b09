/** A version by PEP 440: `1!2.3rc1.post2.dev3+local`. */
export interface Version {
  readonly epoch: number;
  readonly release: readonly number[];
  readonly pre?: readonly ['a' | 'b' | 'rc', number];
  readonly post?: number;
  readonly dev?: number;
  readonly local?: string;
}

/** One clause of a specifier set, such as `>=3.11` or `==3.12.*`. */
export interface Specifier {
  readonly operator: '~=' | '==' | '!=' | '<=' | '>=' | '<' | '>' | '===';
  readonly version: Version;
  /** `==3.12.*` and `!=3.12.*` compare the release's beginning alone. */
  readonly prefix: boolean;
  readonly text: string;
}

const VERSION =
  /^v?(?:(\d+)!)?(\d+(?:\.\d+)*)(?:[-_.]?(alpha|a|beta|b|preview|pre|c|rc)[-_.]?(\d*))?(?:-(\d+)|[-_.]?(?:post|rev|r)[-_.]?(\d*))?(?:[-_.]?(dev)[-_.]?(\d*))?(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?$/;
const PRE_KINDS: Readonly<Record<string, 'a' | 'b' | 'rc'>> = {
  a: 'a',
  alpha: 'a',
  b: 'b',
  beta: 'b',
  c: 'rc',
  rc: 'rc',
  pre: 'rc',
  preview: 'rc',
};
const MAX_LENGTH = 200;

/** The version that a text says, by appendix B of PEP 440; undefined when it is none. */
export function parseVersion(text: string): Version | undefined {
  const plain = text.trim().toLowerCase();
  const match = plain.length > MAX_LENGTH ? undefined : VERSION.exec(plain);
  if (match === null || match === undefined) return undefined;
  const [, epoch, release = '', preKind, preNumber, postDash, postNumber, devWord, devNumber, local] = match;
  const pre = preKind === undefined ? undefined : PRE_KINDS[preKind];
  const post = postDash ?? postNumber;
  return {
    epoch: Number(epoch ?? 0),
    release: release.split('.').map(Number),
    ...(pre !== undefined && { pre: [pre, Number(preNumber || 0)] as const }),
    ...(post !== undefined && { post: Number(post || 0) }),
    ...(devWord !== undefined && { dev: Number(devNumber || 0) }),
    ...(local !== undefined && { local: local.replaceAll(/[-_]/g, '.') }),
  };
}

/** The normal form of a version. */
export function showVersion({ epoch, release, pre, post, dev, local }: Version): string {
  const parts = [
    epoch === 0 ? '' : `${epoch}!`,
    release.join('.'),
    pre === undefined ? '' : pre.join(''),
    post === undefined ? '' : `.post${post}`,
    dev === undefined ? '' : `.dev${dev}`,
    local === undefined ? '' : `+${local}`,
  ];
  return parts.join('');
}

/** Whether it is an alpha, beta, release candidate or development release. */
export function isPrerelease({ pre, dev }: Version): boolean {
  return pre !== undefined || dev !== undefined;
}

/** Below zero when `a` is the older by PEP 440, above when it is the newer, 0 when they are the same. */
export function compareVersions(a: Version, b: Version): number {
  return comparePublic(a, b) || compareLocal(a.local, b.local);
}

function comparePublic(a: Version, b: Version): number {
  return a.epoch - b.epoch || compareRelease(a.release, b.release) || compareLists(stageKey(a), stageKey(b));
}

function compareRelease(a: readonly number[], b: readonly number[]): number {
  const length = Math.max(a.length, b.length);
  return compareLists(padded(a, length), padded(b, length));
}

/** dev < a < b < rc < the release < post; a development release comes before what it leads to. */
function stageKey({ pre, post, dev }: Version): readonly number[] {
  const beforeAll = pre === undefined && post === undefined && dev !== undefined;
  const stage = pre === undefined ? (beforeAll ? -1 : 3) : ['a', 'b', 'rc'].indexOf(pre[0]);
  return [stage, pre?.[1] ?? 0, post ?? -1, dev ?? Infinity];
}

/** Segments of digits are newer than those of letters; a version with none is the oldest. */
function compareLocal(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  const [left, right] = [a.split('.'), b.split('.')];
  for (const [index, one] of left.entries()) {
    const other = right[index];
    if (other === undefined) return 1;
    const [oneIsNumber, otherIsNumber] = [/^\d+$/.test(one), /^\d+$/.test(other)];
    if (oneIsNumber !== otherIsNumber) return oneIsNumber ? 1 : -1;
    const order = oneIsNumber ? Number(one) - Number(other) : Number(one > other) - Number(one < other);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

function compareLists(a: readonly number[], b: readonly number[]): number {
  for (const [index, one] of a.entries()) {
    const other = b[index] ?? 0;
    if (one !== other) return one < other ? -1 : 1;
  }
  return 0;
}

function padded(release: readonly number[], length: number): readonly number[] {
  return [...release, ...Array.from({ length: Math.max(0, length - release.length) }, () => 0)];
}

/** The clauses of a specifier set, such as `>=3.11,<3.14,!=3.12.*`; undefined when one is none. */
export function parseSpecifiers(text: string): readonly Specifier[] | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const clauses = text.split(',').map((clause) => clause.trim());
  if (clauses.length === 1 && clauses[0] === '') return [];
  const parsed = clauses.filter((clause, index) => clause !== '' || index < clauses.length - 1).map(parseSpecifier);
  return parsed.every((one) => one !== undefined) ? parsed : undefined;
}

function parseSpecifier(text: string): Specifier | undefined {
  const [, operator, rest = ''] = /^(~=|===|==|!=|<=|>=|<|>)\s*(\S+)$/.exec(text) ?? [];
  const prefix = rest.endsWith('.*');
  const version = parseVersion(prefix ? rest.slice(0, -2) : rest);
  if (operator === undefined || version === undefined) return undefined;
  if (prefix && (!['==', '!='].includes(operator) || version.dev !== undefined || version.local !== undefined)) {
    return undefined;
  }
  if (operator === '~=' && version.release.length < 2) return undefined;
  if (version.local !== undefined && !['==', '!=', '==='].includes(operator)) return undefined;
  return { operator: operator as Specifier['operator'], version, prefix, text };
}

/** Whether a version fulfils every clause; pre-releases are compared like others, leaving them out is the caller's. */
export function satisfies(version: Version, specifiers: readonly Specifier[]): boolean {
  return specifiers.every((specifier) => fulfils(version, specifier));
}

function fulfils(version: Version, { operator, version: wanted, prefix, text }: Specifier): boolean {
  const order = comparePublic(version, wanted);
  switch (operator) {
    case '==':
      return prefix ? hasPrefix(version, wanted) : isEqual(version, wanted);
    case '!=':
      return prefix ? !hasPrefix(version, wanted) : !isEqual(version, wanted);
    case '===':
      return showVersion(version) === text.slice(3).trim();
    case '~=':
      return order >= 0 && hasPrefix(version, { epoch: wanted.epoch, release: wanted.release.slice(0, -1) });
    case '>=':
      return order >= 0;
    case '<=':
      return order <= 0;
    // Neither side takes what is of the very release named: `<3.1` no pre-release of it, `>1.7` no post-release.
    case '<':
      return order < 0 && !(isPrerelease(version) && !isPrerelease(wanted) && sameRelease(version, wanted));
    case '>':
      return order > 0 && !(version.post !== undefined && wanted.post === undefined && sameRelease(version, wanted));
  }
}

/** A local version is only looked at where the clause names one. */
function isEqual(version: Version, wanted: Version): boolean {
  return wanted.local === undefined ? comparePublic(version, wanted) === 0 : compareVersions(version, wanted) === 0;
}

function sameRelease(a: Version, b: Version): boolean {
  return a.epoch === b.epoch && compareRelease(a.release, b.release) === 0;
}

function hasPrefix(version: Version, wanted: Version): boolean {
  if (version.epoch !== wanted.epoch) return false;
  const release = padded(version.release, wanted.release.length).slice(0, wanted.release.length);
  if (compareLists(release, wanted.release) !== 0) return false;
  if (wanted.pre === undefined && wanted.post === undefined) return true;
  return comparePublic({ ...version, release }, { ...wanted }) >= 0 && version.pre?.join('') === wanted.pre?.join('');
}
