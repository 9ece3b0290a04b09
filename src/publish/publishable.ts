import { UserError } from '../action/errors.ts';
import { parseObject, texts } from '../project/json.ts';
import type { ReadFile } from '../project/project.ts';

const place = { file: 'package.json' };
const KINDS = ['dependencies', 'optionalDependencies', 'peerDependencies'];

/**
 * Checks what package.json itself says against publishing, so that it is known before anything runs.
 * @returns package.json
 * @throws UserError when the package is private, or asks for what no registry can give
 */
export function checkPublishable(read: ReadFile): Readonly<Record<string, unknown>> {
  const project = parseObject(read('package.json') ?? '{}', 'package.json', 'Mend its JSON.');
  if (project['private'] === true) {
    throw new UserError('package.json says `private: true`, so npm publishes nothing of it', {
      remedy: 'Take it out, or set publish to false.',
      place,
    });
  }
  // What pnpm, Yarn and bun replace when they publish, npm hands on as it is: nobody could install such a version.
  const local = KINDS.flatMap((kind) => Object.entries(texts(project[kind])))
    .filter(([, range]) => /^(?:workspace|catalog|link|portal|patch):/.test(range))
    .map(([name, range]) => `${name} ${range}`);
  if (local.length === 0) return project;
  throw new UserError(`package.json asks for ${local.slice(0, 5).join(', ')}, which no registry can give`, {
    remedy: 'Write the range of versions that the published package needs, such as ^1.0.0, or set publish to false.',
    place,
  });
}
