import type { RunInfo } from '../action/host.ts';

/** The labels of an image, told apart by whether they may change while its content stays the same. */
export interface Labels {
  /** Equal for all commits: part of the content hash, so that an image is never reused under another project's name. */
  readonly steady: Readonly<Record<string, string>>;
  /**
   * Of the commit that built the image. Not part of the content hash: a reused image keeps the labels of the commit
   * that first had this content, which is where it truly comes from. They are still the same for every build of one
   * commit, so they take nothing from reproducibility; hence `created` is the commit's time and never the clock's.
   */
  readonly ofCommit: Readonly<Record<string, string>>;
}

/** What the labels are made from besides the run. */
export interface LabelFacts {
  readonly title?: string;
  readonly description?: string;
  readonly version?: string;
  readonly license?: string;
  /** Seconds since 1970 of the commit. */
  readonly commitTime?: number;
}

const PREFIX = 'org.opencontainers.image.';
const MAX_VALUE = 1000;

/** The labels by https://github.com/opencontainers/image-spec/blob/main/annotations.md; what is unknown is left out. */
export function imageLabels(
  info: Pick<RunInfo, 'serverUrl' | 'repository' | 'sha'>,
  { title, description, version, license, commitTime }: LabelFacts = {},
): Labels {
  const source = info.repository === '' ? undefined : `${info.serverUrl}/${info.repository}`;
  return {
    steady: labels({ title, description, licenses: license, source, url: source }),
    ofCommit: labels({
      revision: info.sha,
      version,
      created: commitTime === undefined ? undefined : new Date(commitTime * 1000).toISOString().replace('.000', ''),
    }),
  };
}

function labels(values: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value ? [[PREFIX + name, value.slice(0, MAX_VALUE)]] : [])),
  );
}
