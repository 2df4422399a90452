/** Somebody who wrote in a document. */
export interface Author {
  readonly client: number;
  readonly name: string;
}

/** Somebody who has a document open now. */
export interface Present {
  readonly name: string;
}

/** What a list shows of a document. Times are in ms since the epoch. */
export interface DocumentSummary {
  readonly name: string;
  readonly title: string;
  readonly excerpt: string;
  readonly createdAt: number;
  readonly editedAt: number;
  readonly authors: readonly Author[];
  readonly here: readonly Present[];
}

/** The server said no, or said nothing. */
export class ApiError extends Error {
  constructor(
    message: string,
    /** The HTTP status; 0 when there was no answer. */
    readonly status: number,
  ) {
    super(message);
  }
}

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const timeOf = (value: unknown): number =>
  typeof value === 'number' ? value : Date.parse(textOf(value)) || 0;

async function problemOf(response: Response): Promise<ApiError> {
  const fields = fieldsOf(await response.json().catch(() => null));
  const message = textOf(fields.detail) || textOf(fields.title) || response.statusText;
  return new ApiError(message, response.status);
}

async function call(method: 'GET' | 'POST', path: string): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(path, { method, headers: { accept: 'application/json' } });
  } catch {
    throw new ApiError('The server cannot be reached.', 0);
  }
  if (!response.ok) throw await problemOf(response);
  return response.json();
}

function summaryOf(value: unknown): DocumentSummary {
  const fields = fieldsOf(value);
  return {
    name: textOf(fields.name),
    title: textOf(fields.title),
    excerpt: textOf(fields.excerpt),
    createdAt: timeOf(fields.createdAt),
    editedAt: timeOf(fields.editedAt),
    authors: listOf(fields.authors).map((author) => {
      const { client, name } = fieldsOf(author);
      return { client: Number(client), name: textOf(name) };
    }),
    here: listOf(fields.here).map((person) => ({ name: textOf(fieldsOf(person).name) })),
  };
}

/** The documents, the last edited first. */
export async function listDocuments(): Promise<DocumentSummary[]> {
  const answer = await call('GET', '/api/documents');
  const list = Array.isArray(answer) ? answer : fieldsOf(answer).documents;
  return listOf(list).map(summaryOf);
}

/** Makes a name for a new document; the document comes to be with its first edit. */
export async function createDocument(): Promise<string> {
  const { name } = fieldsOf(await call('POST', '/api/documents'));
  if (!textOf(name)) throw new ApiError('The server gave no name.', 500);
  return textOf(name);
}
