import { UV } from '../python/pins.ts';
import type { PythonImagePlan } from './plan.ts';
import { UV_WHEELS, toolCommand } from './tool.ts';

/** Ids under which a Dockerfile gets what private indexes need. */
export const INDEX_SECRET = 'python-index';
export const NETRC_SECRET = 'netrc';

const VENV = 'uv venv --quiet /venv';
const UV_CACHE = '/root/.cache/uv';
const PIP_CACHE = '/root/.cache/pip';
// Bytecode that states no time of its source, since all files of an image get one and the same.
const COMPILE = 'python -m compileall -qq -f -j 0 --invalidation-mode unchecked-hash';

/**
 * The Dockerfile: a stage that brings uv, one with the production packages, one that builds, and a last one with no more
 * than the service needs, which runs as an ordinary user. Readable, since teams copy it.
 */
export function generatePythonDockerfile(plan: PythonImagePlan): string {
  const installs = plan.packages || plan.own.length > 0;
  const stages = installs
    ? [baseStage(plan), toolsStage(plan), dependenciesStage(plan), buildStage(plan, 'tools'), lastStage(plan)]
    : [baseStage(plan), buildStage(plan, 'base'), lastStage(plan)];
  return [heading(plan), ...stages].map((lines) => `${lines.join('\n')}\n`).join('\n');
}

function heading({ secrets }: PythonImagePlan): readonly string[] {
  const ids = secretsOf({ secrets });
  return [
    '# Made for a Python project without a Dockerfile: save this as `Dockerfile` to change it.',
    ...(ids.length === 0
      ? []
      : [
          '# Settings of private indexes come as secrets, so that no layer holds them:',
          `# docker buildx build ${ids.map((id) => `--secret id=${id},src=…`).join(' ')} .`,
          ...(secrets.index
            ? [`# ${INDEX_SECRET} holds lines such as: export UV_DEFAULT_INDEX='…' PIP_INDEX_URL='…'`]
            : []),
        ]),
  ];
}

function baseStage({ base, packages, own, native }: PythonImagePlan): readonly string[] {
  const folders = [...(own.length > 0 ? ['/project/bin'] : []), ...(packages || own.length > 0 ? ['/venv/bin'] : [])];
  const path = folders.length === 0 ? '' : ` PATH=${folders.join(':')}:$PATH`;
  return [
    `FROM ${base} AS base`,
    'WORKDIR /app',
    `ENV PYTHONUNBUFFERED=1${path}`,
    ...(native.run.length === 0 ? [] : ['# Libraries that packages load.', apt(native.run)]),
  ];
}

function toolsStage(plan: PythonImagePlan): readonly string[] {
  const hashes = UV_WHEELS.map((sum) => `--hash=sha256:${sum}`);
  const words = [`uv==${UV.version}`, ...hashes].join(' \\\n        ');
  return [
    '# uv, which installs what the service needs; it does not go into the image.',
    'FROM base AS tools',
    'ENV VIRTUAL_ENV=/venv UV_PROJECT_ENVIRONMENT=/venv UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never',
    ...(plan.native.build.length === 0
      ? []
      : ['# Compiler and headers for packages without a wheel.', apt(plan.native.build)]),
    run(plan, PIP_CACHE, [
      `printf '%s ' ${words} > /tmp/uv.txt`,
      'pip install --no-input --disable-pip-version-check --root-user-action=ignore --require-hashes -r /tmp/uv.txt',
    ]),
  ];
}

function dependenciesStage(plan: PythonImagePlan): readonly string[] {
  const { inputs, sourcesFirst } = plan;
  const sources =
    sourcesFirst === undefined ? copies(inputs) : [`# All sources before the install: ${sourcesFirst}.`, 'COPY . .'];
  return [
    '# What the service needs when it runs: the same packages are the same layer in every release, whenever they are',
    '# installed, as all of it has one time. A folder that COPY makes would have its own, so a folder around it is copied.',
    'FROM tools AS dependencies',
    ...(plan.packages ? sources : []),
    run(plan, UV_CACHE, [
      // Made here and not in the stage before, from where the folder could not be moved, only copied.
      VENV,
      ...(plan.packages ? [installCommand(plan)] : []),
      `{ ${COMPILE} /venv || true; }`,
      'mkdir /layer && mv /venv /layer',
      'find /layer -exec touch --no-dereference --date=1980-01-01 {} +',
    ]),
  ];
}

function installCommand({ installer, hashed, workspace }: PythonImagePlan): string {
  const { name, lockfile } = installer;
  switch (name) {
    case 'uv': {
      const member = workspace === undefined ? '' : ` --package ${workspace.member}`;
      return `uv sync --frozen --no-default-groups --no-install-local${member}`;
    }
    case 'poetry':
      return `${toolCommand(name)} install --only=main --no-root --no-interaction`;
    case 'pdm':
      // Its look for a newer pdm waits a minute where builds do not reach PyPI.
      return `PDM_CHECK_UPDATE=0 ${toolCommand(name)} install --prod --frozen-lockfile --no-self --no-editable`;
    case 'pipenv':
      return `${toolCommand(name)} sync`;
    case 'pip':
    case 'pip-tools':
      return `uv pip install${hashed ? ' --require-hashes' : ''} -r ${lockfile}`;
    case 'pylock':
      return `uv pip sync ${lockfile}`;
    case 'hatch':
    case 'pep517':
      return 'uv pip install -r pyproject.toml';
  }
}

function buildStage(plan: PythonImagePlan, from: string): readonly string[] {
  const { own, workspace, start, version } = plan;
  const folders = workspace?.closure.filter((folder) => folder !== '.') ?? [];
  const variables = Object.entries(version).map(([name, value]) => `${name}=${value} `);
  const sources = own.map((folder) => (folder === '.' ? '/source' : `/source/${folder}`));
  return [
    '# The sources, compiled; a project that is a package is installed beside its dependencies.',
    `FROM ${from} AS build`,
    ...(own.length === 0
      ? []
      : [
          run(
            plan,
            UV_CACHE,
            [VENV, `${variables.join('')}uv pip install --no-deps --target /project ${sources.join(' ')}`],
            ['type=bind,target=/source,rw'],
          ),
        ]),
    ...(folders.length === 0 ? ['COPY . .'] : folders.map((folder) => `COPY ${folder} ${folder}`)),
    ...(start.prepare === undefined ? [] : ['COPY --from=dependencies /layer /', `RUN ${start.prepare}`]),
    `RUN ${COMPILE} /app${own.length > 0 ? ' /project' : ''} || true`,
  ];
}

function lastStage(plan: PythonImagePlan): readonly string[] {
  const { start, own, packages, workspace } = plan;
  const python = own.length > 0 ? '/project' : start.env['PYTHONPATH'];
  const env = { ...start.env, ...(python !== undefined && { PYTHONPATH: python }) };
  const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const folder = workspace === undefined || workspace.folder === '.' ? undefined : workspace.folder;
  return [
    `# Starts ${start.reason}.`,
    'FROM base',
    ...(settings.length === 0 ? [] : [`ENV ${settings.join(' ')}`]),
    ...(packages || own.length > 0 ? ['COPY --from=dependencies /layer /'] : []),
    ...(own.length > 0 ? ['COPY --from=build /project /project'] : []),
    'COPY --from=build /app ./',
    ...(folder === undefined ? [] : [`WORKDIR /app/${folder}`]),
    '# An ordinary user, as a number: Kubernetes (runAsNonRoot) cannot tell who a name is.',
    'USER 1000:1000',
    ...(start.interrupt === true
      ? ['# Python by itself ends by this signal, and not by the usual one.', 'STOPSIGNAL SIGINT']
      : []),
    `CMD ${JSON.stringify(start.argv).replaceAll('","', '", "')}`,
  ];
}

/** Files keep their folders: one COPY for those at the top, and one for each other. */
function copies(files: readonly string[]): readonly string[] {
  const top = files.filter((file) => !file.includes('/'));
  const others = files.filter((file) => file.includes('/'));
  return [...(top.length === 0 ? [] : [`COPY ${top.join(' ')} ./`]), ...others.map((file) => `COPY ${file} ${file}`)];
}

function apt(packages: readonly string[]): string {
  return `RUN apt-get update \\
    && apt-get install --yes --no-install-recommends ${packages.join(' ')} \\
    && rm -rf /var/lib/apt/lists/*`;
}

function secretsOf({ secrets }: Pick<PythonImagePlan, 'secrets'>): readonly string[] {
  return [...(secrets.index ? [INDEX_SECRET] : []), ...(secrets.netrc ? [NETRC_SECRET] : [])];
}

function run(
  plan: PythonImagePlan,
  cache: string,
  commands: readonly string[],
  mounts: readonly string[] = [],
): string {
  const { index, netrc } = plan.secrets;
  const all = [
    ...mounts,
    `type=cache,target=${cache}`,
    ...(index ? [`type=secret,id=${INDEX_SECRET},required=true`] : []),
    ...(netrc ? [`type=secret,id=${NETRC_SECRET},required=true,target=/root/.netrc`] : []),
  ];
  const steps = [...(index ? [`. /run/secrets/${INDEX_SECRET}`] : []), ...commands];
  return `RUN ${[...all.map((mount) => `--mount=${mount}`), steps.join(' \\\n    && ')].join(' \\\n    ')}`;
}
