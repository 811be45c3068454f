import { mixedTree, sparseFile, uniformTree, type Tree } from "./trees.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

/** What is measured; trees are created on demand. */
export interface Sizes {
  small(): Tree;
  /** Trees so small that what the engine costs shows. */
  few(): Tree[];
  large(): Tree;
  mixed(): Tree;
  /** Files that are cut into chunks. */
  medium(): Tree;
  single(): Tree;
  /** What the client's ceiling is measured on. */
  ceiling(): Tree;
  growth: number[];
  growthTree(files: number): Tree;
  huge(): Tree;
  /** The same for the layout packs, to which such a file costs less. */
  hugest(): Tree;
  fanOuts: number[];
  /** Of a run that questions are asked about: the names in each directory, at three levels. */
  namesOfEach: number;
  /** Blobs written to storage that throttles. */
  throttled: number;
}

const FULL: Sizes = {
  small: () => uniformTree(10_000, 4 * KIB),
  few: () => [uniformTree(100, 4 * KIB), uniformTree(1_000, 4 * KIB)],
  large: () => uniformTree(4, 256 * MIB),
  mixed: () => mixedTree(10_000),
  medium: () => uniformTree(1_000, 5 * MIB),
  single: () => uniformTree(1, 256 * MIB),
  ceiling: () => uniformTree(25_000, 4 * KIB),
  growth: [10_000, 100_000, 1_000_000],
  growthTree: (files) => uniformTree(files, 64),
  huge: () => sparseFile(20 * GIB),
  hugest: () => sparseFile(100 * GIB),
  fanOuts: [20, 200, 1_000, 4_000],
  namesOfEach: 100,
  throttled: 400,
};

const QUICK: Sizes = {
  small: () => uniformTree(1_000, 4 * KIB),
  few: () => [uniformTree(100, 4 * KIB)],
  large: () => uniformTree(4, 32 * MIB),
  mixed: () => mixedTree(1_000),
  medium: () => uniformTree(20, 5 * MIB),
  single: () => uniformTree(1, 64 * MIB),
  ceiling: () => uniformTree(2_000, 4 * KIB),
  growth: [500, 2_000],
  growthTree: (files) => uniformTree(files, 64),
  huge: () => sparseFile(GIB),
  hugest: () => sparseFile(GIB),
  fanOuts: [20, 200],
  namesOfEach: 20,
  throttled: 100,
};

export function sizes(quick: boolean): Sizes {
  return quick ? QUICK : FULL;
}
