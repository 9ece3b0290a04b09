import { UserError } from '../action/errors.ts';
import { nativeHelp } from './native.ts';
import type { Step } from './install-plan.ts';
import type { PythonProject } from './project.ts';

/** How the tools say that a server did not answer, or not to the end. */
export const NETWORK =
  /tcp connect error|connection (?:reset|refused|closed|aborted|broken)|operation timed out|read timed out|connecttimeout|timeout was reached|dns error|failed to lookup address|temporary failure in name resolution|name or service not known|error sending request|incomplete ?read|request or response body error|server disconnected|\b50[234] (?:server error|bad gateway|service unavailable|gateway time)/i;

/** An installation that went wrong. */
export interface FailedStep {
  readonly project: PythonProject;
  readonly step: Step;
  /** All that the step wrote. */
  readonly written: string;
  readonly exitCode: number;
}

/** What a failure is called, and the next step; `file` is where the user mends it. */
interface Explanation {
  readonly what: string;
  readonly remedy: string;
  readonly file?: string;
}

type Rule = (failed: FailedStep) => Explanation | undefined;

const LOCK_COMMANDS: Readonly<Record<string, string>> = {
  uv: 'uv lock',
  poetry: 'poetry lock',
  pdm: 'pdm lock',
  pipenv: 'pipenv lock',
};

const TAIL_LINES = 15;

/** The first that knows a failure explains it: those with a reason of their own come before those that only follow. */
const RULES: readonly Rule[] = [outOfStep, diskFull, refused, wrongHash, wrongUv, native, noWheel, conflict, network];

/** The error of a step that failed: the reason and the remedy where it is a usual one, and its last lines. */
export function explainFailure(failed: FailedStep): UserError {
  const { step, written, exitCode } = failed;
  const command = [step.program, ...step.args.slice(0, 2)].join(' ');
  const found = RULES.map((rule) => rule(failed)).find((one) => one !== undefined);
  const what = found?.what ?? `\`${command}\` failed with exit code ${exitCode}`;
  const tail = written.split('\n').filter((line) => line.trim() !== '');
  return new UserError(`${what}\n${tail.slice(-TAIL_LINES).join('\n')}`, {
    remedy: found?.remedy ?? 'Mend what the last lines name, then push again.',
    ...(found?.file !== undefined && { place: { file: found.file } }),
  });
}

/** uv, poetry 2, pdm and pipenv each in their own words. */
function outOfStep({ project, step, written }: FailedStep): Explanation | undefined {
  const said =
    /lockfile at `[^`]*` needs to be updated|changed significantly since poetry\.lock|poetry\.lock was not found|Lockfile (?:doesn't satisfy|hash doesn't match)|Lockfile is generated on an older version|Pipfile\.lock is out-of-date|Pipfile\.lock \([0-9a-f]+\) out of date/i;
  if (!said.test(written)) return undefined;
  const lockfile = project.lockfile ?? 'the lockfile';
  const source = project.tool === 'pipenv' ? 'Pipfile' : 'pyproject.toml';
  return {
    what: `${lockfile} does not fit ${source}, so \`${step.program}\` installs nothing.`,
    remedy: `Run \`${LOCK_COMMANDS[project.tool] ?? step.program}\` and commit the ${lockfile} that it writes.`,
    file: lockfile,
  };
}

function diskFull({ written }: FailedStep): Explanation | undefined {
  if (!/No space left on device|os error 28\b|Errno 28\b|disk quota exceeded/i.test(written)) return undefined;
  return {
    what: 'The disk of the runner is full.',
    remedy:
      'Free room in a step before this one (`docker image prune --all --force`, caches), use a larger runner, or depend on smaller packages, such as the CPU builds of torch.',
  };
}

const REFUSALS: Readonly<Record<string, Pick<Explanation, 'what' | 'remedy'>>> = {
  401: {
    what: 'A package index does not know who is asking (401).',
    remedy:
      'Give this step the credentials of the index that the last lines name: for uv `UV_INDEX_<NAME>_USERNAME` and `UV_INDEX_<NAME>_PASSWORD`, for poetry `POETRY_HTTP_BASIC_<NAME>_PASSWORD`, for others a line of ~/.netrc, out of a secret; a token that was given may have expired.',
  },
  403: {
    what: 'A package index does not allow it (403).',
    remedy: 'Give the account whose token is used the right to read the package that the last lines name.',
  },
};

function refused({ written }: FailedStep): Explanation | undefined {
  const status = /\b(40[13])\b[ :]*(?:Client Error|Unauthorized|Forbidden)|returned a (403)/i.exec(written);
  const code = status?.slice(1).find(Boolean);
  if (code !== undefined) return REFUSALS[code];
  return /User for .* not found|Authorization error accessing|authentication is required/i.test(written)
    ? REFUSALS['401']
    : undefined;
}

function wrongHash({ project, written }: FailedStep): Explanation | undefined {
  if (!/hash mismatch|HashMismatch|THESE PACKAGES DO NOT MATCH THE HASHES|hash .*does not match/i.test(written))
    return undefined;
  const lockfile = project.lockfile ?? 'the lockfile';
  return {
    what: `A package is another than the one that ${lockfile} was made with: its hash differs.`,
    remedy:
      'Do not install it before you know why: the index, or something between it and the runner, gives another file. Where the release was truly made anew, lock it again and commit the lockfile.',
    file: lockfile,
  };
}

function wrongUv({ written }: FailedStep): Explanation | undefined {
  const wanted = /Required uv version `([^`]+)` does not match/.exec(written)?.[1];
  if (wanted === undefined) return undefined;
  return {
    what: `The project wants uv ${wanted} (required-version), and the runner has another.`,
    remedy: 'Add a step with astral-sh/setup-uv and that version before this one, or widen `required-version`.',
    file: 'pyproject.toml',
  };
}

function native({ written }: FailedStep): Explanation | undefined {
  const failed =
    /(?:Failed to build|Failed building wheel for|build backend returned an error|Unable to build|error: command '[^']*(?:gcc|cc|g\+\+|clang)[^']*' failed|metadata-generation-failed|Backend subprocess exited)/i;
  if (!failed.test(written)) return undefined;
  const name = /Failed to build:? `?([A-Za-z0-9._-]+)|Failed building wheel for ([A-Za-z0-9._-]+)/.exec(written);
  const culprit = name?.slice(1).find(Boolean);
  const { missing, install } = nativeHelp(culprit ?? '', written);
  const what = `${culprit ?? 'A package'} has no wheel for this Python and platform, and it cannot be built here`;
  if (missing === undefined) {
    return {
      what: `${what}.`,
      remedy:
        'Take a version that has wheels for this Python, or an older Python, or install what the build names in a step before this one.',
    };
  }
  return {
    what: `${what}: ${missing} is missing.`,
    remedy: `Add a step before this one: \`run: ${install}\`, or take a version that has wheels for this Python.`,
  };
}

function noWheel({ written }: FailedStep): Explanation | undefined {
  const name =
    /Because (?:only )?([A-Za-z0-9._-]+)\S* has no wheels? with a matching|(?:Distribution|distribution) `?([A-Za-z0-9._-]+)[^`\n]*`? can't be installed because it doesn't have a source distribution or wheel|Unable to find installation candidates for ([A-Za-z0-9._-]+)/.exec(
      written,
    );
  const culprit = name?.slice(1).find(Boolean)?.replace(/==.*$/, '');
  if (culprit === undefined) return undefined;
  return {
    what: `${culprit} has no wheel for this Python and platform.`,
    remedy: `Choose a Python that it has wheels for (requires-python or .python-version), or a newer version of ${culprit}.`,
  };
}

function conflict({ project, written }: FailedStep): Explanation | undefined {
  const why = /cause: (Because .*unsatisfiable\.)|(Because [\s\S]*version solving failed\.)/.exec(written);
  const said = why?.slice(1).find(Boolean);
  if (said === undefined) return undefined;
  const file = project.requirements?.run.files[0] ?? project.lockfile;
  if (/was not found in the package registry/.test(said)) {
    const name = /Because ([A-Za-z0-9._-]+) was not found/.exec(said)?.[1] ?? 'A package';
    return {
      what: `The package index does not have ${name}, or hides it from who is asking.`,
      remedy: 'Check the name; for a private package, that its index is named and has credentials.',
      ...(file !== undefined && { file }),
    };
  }
  return {
    what: 'The versions that are asked for exclude each other.',
    remedy: 'Widen one of the requirements that the last lines name.',
    ...(file !== undefined && { file }),
  };
}

function network({ written }: FailedStep): Explanation | undefined {
  if (!NETWORK.test(written)) return undefined;
  return {
    what: 'The package index did not answer, or not to the end, and trying again did not help.',
    remedy: 'Run the job again; where it stays so, check the address of the index and the proxy of the runner.',
  };
}
