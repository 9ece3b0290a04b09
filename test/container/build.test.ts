import { describe, expect, test } from '@jest/globals';
import { type ImageBuild, buildArguments } from '../../src/container/build.ts';
import { explainBuild } from '../../src/container/build-error.ts';

const build: ImageBuild = {
  context: '/w/my app',
  dockerfile: '/w/my app/Dockerfile',
  tags: ['r.example/shop:content-1'],
  push: true,
  platforms: [],
  buildArgs: new Map(),
  secrets: new Map(),
  labels: {},
  epoch: 1,
  dockerConfig: '/t/docker',
};

describe('the arguments of docker', () => {
  const after = (more: Partial<ImageBuild>): readonly string[] => {
    const usual = buildArguments(build, '/t/m.json');
    return buildArguments({ ...build, ...more }, '/t/m.json').filter((one) => !usual.includes(one));
  };

  test('the context stands last, whole, whatever its name', () => {
    expect(buildArguments(build, '/t/m.json').at(-1)).toBe('/w/my app');
    expect(buildArguments(build, '/t/m.json')).toContain('--file=/w/my app/Dockerfile');
  });

  test('build arguments, labels and platforms are one argument each, whatever they hold', () => {
    const value = `$(id) "x" 'y' \${{ z }}`;
    expect(after({ buildArgs: new Map([['PATH', value]]) })).toEqual([`--build-arg=PATH=${value}`]);
    expect(after({ labels: { title: value } })).toEqual([`--label=title=${value}`]);
    expect(after({ platforms: ['linux/amd64', 'linux/arm64'] })).toEqual(['--platform=linux/amd64,linux/arm64']);
  });

  test('secrets are files, and a path may hold what separates the fields', () => {
    expect(after({ secrets: new Map([['npmrc', '/t/npmrc']]) })).toEqual(['--secret=id=npmrc,src=/t/npmrc']);
    expect(after({ secrets: new Map([['npmrc', '/t,"u/npmrc']]) })).toEqual(['--secret=id=npmrc,"src=/t,""u/npmrc"']);
  });

  test('what is not pushed has no output but the engine', () => {
    const kept = buildArguments({ ...build, push: false }, '/t/m.json');
    expect(kept.filter((one) => /push|output/.test(one))).toEqual([]);
    expect(buildArguments(build, '/t/m.json')).toContain(
      '--output=type=image,push=true,rewrite-timestamp=true,source-date-epoch=1,unpack=false',
    );
  });

  test('what is built ahead is pushed nowhere, neither the image nor new layers', () => {
    const layers = { reference: 'r.example/shop:layers-1', known: false };
    expect(after({ ahead: 'packed', layers })).toEqual(['--output=type=image,push=false,unpack=false']);
    expect(after({ ahead: 'unpacked', layers })).toEqual(['--output=type=cacheonly']);
    expect(after({ ahead: 'packed', layers: { ...layers, known: true } })).toContain(
      '--cache-from=type=registry,ref=r.example/shop:layers-1',
    );
  });
});

/** Lines that BuildKit and docker really wrote, shortened. */
const WRITTEN = {
  denied: `#5 exporting to image
#6 pushing r.example/shop:content-1 with docker
#6 ERROR: denied
------
 > pushing r.example/shop:content-1 with docker:
------
ERROR: failed to build: denied`,
  unauthorized: `#6 pushing r.example/shop:content-1 with docker
#6 ERROR: no basic auth credentials
ERROR: failed to build: no basic auth credentials`,
  unknown: `#6 pushing r.example/shop:content-1 with docker
ERROR: failed to build: name unknown: repository name not known`,
  immutable: `#9 exporting to image
#9 pushing layers 0.3s done
ERROR: failed to solve: failed to push r.example/shop:content-1: tag invalid: The image tag 'content-1' already exists in the 'shop' repository and cannot be overwritten because the tag is immutable.`,
  reset: `#9 exporting to image
ERROR: failed to solve: failed to push r.example/shop:content-1: unexpected EOF`,
  base: `#3 [internal] load metadata for docker.io/library/nod:24
#3 ERROR: pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed
------
 > [internal] load metadata for docker.io/library/nod:24:
------
ERROR: failed to build: failed to solve: nod:24: failed to resolve source metadata for docker.io/library/nod:24: pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`,
  step: `#7 [2/2] RUN curl denied.example
#7 0.2 error: 403 Forbidden
#7 ERROR: process "/bin/sh -c curl denied.example" did not complete successfully: exit code: 22
------
 > [2/2] RUN curl denied.example:
------
Dockerfile:4
ERROR: failed to build: failed to solve: process "/bin/sh -c curl denied.example" did not complete successfully: exit code: 22`,
  several: `ERROR: failed to build: Multi-platform build is not supported for the docker driver.
Switch to a different driver, or turn on the containerd image store, and try again.`,
  foreign: `#7 0.1 exec /bin/sh: exec format error
ERROR: failed to build: failed to solve: process "/bin/sh -c id" did not complete successfully: exit code: 255`,
  stopped: `ERROR: failed to connect to the docker API at unix:///var/run/docker.sock; check if the path is correct and if the daemon is running: dial unix /var/run/docker.sock: connect: no such file or directory`,
};

describe('why a build failed', () => {
  test.each<[keyof typeof WRITTEN, string, string]>([
    ['denied', 'r.example refuses the image: it knows who is asking and does not allow it', 'push to shop'],
    ['unauthorized', 'r.example refuses the image: it does not know who is asking', 'registry-username'],
    ['unknown', 'r.example refuses the image: it does not know the repository', 'Create the repository shop'],
    ['immutable', 'its tags are immutable', 'Push the commit anew'],
    ['reset', 'r.example did not take the image', 'Run the job again'],
    ['base', 'The base image docker.io/library/nod:24 cannot be had', 'docker/login-action'],
    ['step', 'Dockerfile does not build at line 4: process', 'the last lines'],
    ['several', 'one platform at a time; input platforms names linux/arm64', 'docker/setup-buildx-action'],
    ['foreign', 'A step for linux/arm64 needs a program', 'docker/setup-qemu-action'],
    ['stopped', 'Docker does not answer', 'a running Docker'],
  ])('%s', (name, message, remedy) => {
    const failed = { ...build, shownDockerfile: 'Dockerfile', platforms: ['linux/arm64'] };
    const error = explainBuild(WRITTEN[name], failed, 'FROM nod:24\n\n# try\nRUN curl  denied.example\n');
    expect(error.message).toContain(message);
    expect(error.remedy).toContain(remedy);
  });

  test('a failed step and a missing base stand on their lines', () => {
    const failed = { ...build, shownDockerfile: 'app/Dockerfile' };
    const dockerfile = 'ARG X\r\nFROM nod:24\r\n# try\r\nRUN  curl denied.example\r\n';
    expect(explainBuild(WRITTEN.step, failed, dockerfile).place).toEqual({ file: 'app/Dockerfile', line: 4 });
    expect(explainBuild(WRITTEN.base, failed, dockerfile).place).toEqual({ file: 'app/Dockerfile', line: 2 });
    const older = WRITTEN.step.replace('Dockerfile:4\n', '');
    expect(explainBuild(older, failed, dockerfile).place).toEqual({ file: 'app/Dockerfile', line: 4 });
  });
});
