import { parser } from 'sax';

/** An element of an answer, for answers whose elements of one name stand within each other. */
export interface XmlElement {
  readonly name: string;
  readonly text: string;
  readonly children: readonly XmlElement[];
}

const MAX_DEPTH = 50;

/** @throws Error when the text is no XML, or is nested deeper than 50 elements */
export function parseXml(text: string): XmlElement {
  const root = { name: '', text: '', children: [] as XmlElement[] };
  const open = [root];
  const strict = true;
  Object.assign(parser(strict), {
    onopentag({ name }: { name: string }): void {
      if (open.length > MAX_DEPTH) throw new Error(`is nested deeper than ${MAX_DEPTH} elements`);
      const element = { name, text: '', children: [] };
      open.at(-1)?.children.push(element);
      open.push(element);
    },
    ontext(part: string): void {
      const element = open.at(-1);
      if (element !== undefined) element.text += part;
    },
    onclosetag: (): void => void open.pop(),
    onerror(error: Error): never {
      throw new Error(`is not XML: ${error.message.split('\n')[0]}`, { cause: error });
    },
  })
    .write(text)
    .close();
  return root;
}

/** The elements at a path of names; of each name on the way all that there are. */
export function allAt(element: XmlElement, ...path: readonly string[]): readonly XmlElement[] {
  return path.reduce<readonly XmlElement[]>(
    (found, name) => found.flatMap(({ children }) => children.filter((child) => child.name === name)),
    [element],
  );
}

/** The text of the first element at a path; `''` where there is none. */
export function xmlText(element: XmlElement, ...path: readonly string[]): string {
  return allAt(element, ...path)[0]?.text.trim() ?? '';
}
