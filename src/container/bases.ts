import { parseReference } from './reference.ts';

/**
 * The images that a Dockerfile builds upon, each once: what its FROM lines name and `COPY --from`, without its own stages, `scratch`,
 * names that an ARG completes, and what is no name of an image, as docker itself says best what is wrong there.
 */
export function basesOf(dockerfile: string): readonly string[] {
  const stages = new Set(['scratch']);
  const bases = new Set<string>();
  for (const [, image = '', stage] of dockerfile.matchAll(
    /^[ \t]*FROM[ \t]+(?:--platform=\S+[ \t]+)?(\S+)(?:[ \t]+AS[ \t]+(\S+))?[ \t]*\r?$/gim,
  )) {
    if (!stages.has(image.toLowerCase()) && isImage(image)) bases.add(image);
    if (stage !== undefined) stages.add(stage.toLowerCase());
  }
  for (const [, image = ''] of dockerfile.matchAll(/^[ \t]*(?:COPY|ADD)[ \t]+(?:--\S+[ \t]+)*?--from=(\S+)/gim)) {
    // A stage may go by its number too.
    if (!stages.has(image.toLowerCase()) && !/^\d+$/.test(image) && isImage(image)) bases.add(image);
  }
  return [...bases];
}

function isImage(name: string): boolean {
  try {
    return parseReference(name).repository !== '';
  } catch {
    return false;
  }
}
