/**
 * Hadamard matrices of orders that are no powers of two, by Paley's constructions (equations 42 and 43), and blocks
 * mixed by them. The residues of a prime below 256 are bits of four words.
 */
import { fourExact } from '../load';
import { single } from './values';

let prime: i32 = 0;
let residues0: u64 = 0;
let residues1: u64 = 0;
let residues2: u64 = 0;
let residues3: u64 = 0;

/** Makes the residues of a prime ready. */
export function prepare(q: i32): void {
  if (q == prime) return;
  prime = q;
  residues0 = 0;
  residues1 = 0;
  residues2 = 0;
  residues3 = 0;
  for (let x: i32 = 1; x <= q >> 1; x++) {
    const a = (x * x) % q;
    const bit: u64 = (<u64>1) << (a & 63);
    if (a < 64) residues0 |= bit;
    else if (a < 128) residues1 |= bit;
    else if (a < 192) residues2 |= bit;
    else residues3 |= bit;
  }
}

/** Whether a, from 0 to prime − 1, is a square other than 0. */
// @ts-ignore: decorator
@inline
function isResidue(a: i32): bool {
  const word = a < 64 ? residues0 : a < 128 ? residues1 : a < 192 ? residues2 : residues3;
  return ((word >> (a & 63)) & 1) != 0;
}

/** Whether entry (i, j) of the matrix of this order is −1. */
function isMinus(order: usize, i: i32, j: i32): bool {
  if (<i32>order == prime + 1) {
    if (i == 0 || j == 0) return false;
    return !isResidue((i + j - 2) % prime);
  }
  const isBoth = (i & j & 1) != 0;
  const a = i >> 1;
  const b = j >> 1;
  if (a == b) return ((i | j) & 1) != 0;
  if (a == 0 || b == 0) return isBoth;
  return isResidue((a - b + prime) % prime) == isBoth;
}

/** Bit j of these four words: whether entry j of the row in hand is −1. */
let minus0: u64 = 0;
let minus1: u64 = 0;
let minus2: u64 = 0;
let minus3: u64 = 0;

/** Takes row i of the matrix in hand. */
function takeRow(order: usize, i: usize): void {
  minus0 = partOf(order, i, 0);
  minus1 = partOf(order, i, 64);
  minus2 = partOf(order, i, 128);
  minus3 = partOf(order, i, 192);
}

function partOf(order: usize, i: usize, from: usize): u64 {
  let bits: u64 = 0;
  for (let j = from; j < min<usize>(order, from + 64); j++) {
    if (isMinus(order, <i32>i, <i32>j)) bits |= (<u64>1) << (j - from);
  }
  return bits;
}

/** Entries from j, a multiple of 64, on. */
// @ts-ignore: decorator
@inline
function entriesFrom(j: usize): u64 {
  return j < 64 ? minus0 : j < 128 ? minus1 : j < 192 ? minus2 : minus3;
}

/** A block of `order` runs of `run` values at `p`: run i of the result at `q` is the sum of all runs with signs, in order. */
export function mix<T>(p: usize, q: usize, order: usize, run: usize): void {
  const step = run * sizeof<T>();
  const wide = run & ~15;
  for (let i: usize = 0; i < order; i++) {
    takeRow(order, i);
    for (let c: usize = 0; c < wide; c += 16) sixteen<T>(p + c * sizeof<T>(), step, order, q + (c << 2));
    for (let c = wide; c < (run & ~3); c += 4) four<T>(p + c * sizeof<T>(), step, order, q + (c << 2));
    for (let c = run & ~3; c < run; c++) one<T>(p + c * sizeof<T>(), step, order, q + (c << 2));
    q += run << 2;
  }
}

/** The bit that changes the sign of four values where the lowest of these is set. */
// @ts-ignore: decorator
@inline
function signOf(entries: u64): v128 {
  return i32x4.splat(<i32>entries << 31);
}

// A sum begins with −0, to which any first value adds as itself.

function sixteen<T>(p: usize, step: usize, order: usize, q: usize): void {
  let a = f32x4.splat(-0.0);
  let b = a;
  let c = a;
  let e = a;
  let entries: u64 = 0;
  for (let j: usize = 0; j < order; j++) {
    entries = (j & 63) == 0 ? entriesFrom(j) : entries >> 1;
    const sign = signOf(entries);
    a = f32x4.add(a, v128.xor(fourExact<T>(p), sign));
    b = f32x4.add(b, v128.xor(fourExact<T>(p + 4 * sizeof<T>()), sign));
    c = f32x4.add(c, v128.xor(fourExact<T>(p + 8 * sizeof<T>()), sign));
    e = f32x4.add(e, v128.xor(fourExact<T>(p + 12 * sizeof<T>()), sign));
    p += step;
  }
  v128.store(q, a);
  v128.store(q, b, 16);
  v128.store(q, c, 32);
  v128.store(q, e, 48);
}

function four<T>(p: usize, step: usize, order: usize, q: usize): void {
  let sum = f32x4.splat(-0.0);
  let entries: u64 = 0;
  for (let j: usize = 0; j < order; j++) {
    entries = (j & 63) == 0 ? entriesFrom(j) : entries >> 1;
    sum = f32x4.add(sum, v128.xor(fourExact<T>(p), signOf(entries)));
    p += step;
  }
  v128.store(q, sum);
}

function one<T>(p: usize, step: usize, order: usize, q: usize): void {
  let sum: f32 = -0.0;
  let entries: u64 = 0;
  for (let j: usize = 0; j < order; j++) {
    entries = (j & 63) == 0 ? entriesFrom(j) : entries >> 1;
    const x = single<T>(p);
    sum += entries & 1 ? -x : x;
    p += step;
  }
  store<f32>(q, sum);
}
