import { z } from "zod";
import { ChangedRecord, readRecord } from "../../ledger/damaged.ts";
import { recordHash, type Ledger } from "../../ledger/ledger.ts";
import { ATTEMPTS } from "../../ledger/names.ts";
import { fileSize } from "../../ledger/schemas.ts";

/** The recipe of a part of a large file, up to a position. */
interface Piece {
  position: number;
  recipe: Buffer;
  /** Hash of this piece and of all before it. */
  state: string;
}

const schema = z.looseObject({ position: fileSize, recipe: z.base64() });

/** The pieces of a large file's recipe in the ledger, for one try at the file. Each begins where the one before ends. */
export class RecipePieces {
  readonly #ledger: Ledger;
  readonly #name: string;

  /** @param attempt see Upload */
  constructor(ledger: Ledger, attempt: readonly unknown[]) {
    this.#ledger = ledger;
    this.#name = recordHash(JSON.stringify(attempt));
  }

  /** The piece at a position; undefined if there is none. @param state the hash of what is before @throws DamagedRecord */
  async read(from: number, state: string): Promise<Piece | undefined> {
    const name = this.#nameOf(from);
    const text = await this.#ledger.read(name);
    if (text === undefined) return undefined;
    const line = readRecord<z.infer<typeof schema>>(text, schema, `${this.#ledger.runId}/${name}`);
    return pieceOf(line.position, Buffer.from(line.recipe, "base64"), state);
  }

  /** Records a piece. @returns it, or the one that another delivery has recorded before */
  async settle(from: number, { position, recipe }: Omit<Piece, "state">, state: string): Promise<Piece> {
    const line = { position, recipe: recipe.toString("base64") };
    const { won } = await this.#ledger.writeOnce(this.#nameOf(from), JSON.stringify(line));
    return (won ? undefined : await this.read(from, state)) ?? pieceOf(position, recipe, state);
  }

  /**
   * The recipe of a whole file, from its pieces.
   * @param size of the file
   * @param state the hash of all pieces
   * @throws ChangedRecord if somebody else has written one; DamagedRecord
   */
  async whole(size: number, state: string): Promise<Buffer> {
    const recipes: Buffer[] = [];
    let [position, sofar] = [0, ""];
    while (position < size) {
      const piece = await this.read(position, sofar);
      if (!piece || piece.position <= position) break;
      recipes.push(piece.recipe);
      ({ position, state: sofar } = piece);
    }
    if (sofar !== state) throw new ChangedRecord(`${this.#ledger.runId}/${this.#nameOf(position)}`);
    return Buffer.concat(recipes);
  }

  #nameOf(from: number): string {
    return `${ATTEMPTS}${this.#name}-${from}.json`;
  }
}

function pieceOf(position: number, recipe: Buffer, before: string): Piece {
  return { position, recipe, state: recordHash(before + recordHash(recipe)) };
}
