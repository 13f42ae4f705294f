// @ts-check
// The sample file: a year of orders of the fictional shop, the same on every visit.

export const FILE_NAME = 'orders.csv';

const ORDERS = 400;
const FIRST_DAY = Date.UTC(2025, 0, 2);
const DAY_MS = 86_400_000;
/** Name, price in euros, relative frequency. @type {[string, number, number][]} */
const PRODUCTS = [
  ['Mug', 22, 34],
  ['Cereal bowl', 26, 22],
  ['Espresso cup', 14, 20],
  ['Dinner plate', 34, 16],
  ['Teapot', 78, 8],
];
/** @type {[string, number][]} */
const DELIVERIES = [
  ['parcel', 62],
  ['pickup', 23],
  ['EU parcel', 15],
];
/** Relative number of orders by month: December is the busiest. */
const SEASON = [5, 6, 7, 7, 8, 7, 6, 6, 8, 9, 13, 18];

/**
 * Pseudorandom numbers from 0 to 1, reproducible (mulberry32).
 * @param {number} seed
 * @returns {() => number}
 */
function random(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/**
 * The index of one of `weights`, chosen in proportion to them.
 * @param {number[]} weights
 * @param {number} at from 0 to 1
 */
function weighted(weights, at) {
  let left = at * weights.reduce((sum, weight) => sum + weight, 0);
  return weights.findIndex((weight) => (left -= weight) < 0);
}

/** @returns {string} the file, as CSV */
export function ordersCsv() {
  const next = random(1889);
  const times = Array.from({ length: ORDERS }, () => {
    const month = weighted(SEASON, next());
    return Date.UTC(2025, month, 1 + Math.floor(next() * 28));
  }).map((time) => {
    // The shop is closed on Sunday and Monday.
    const day = new Date(time).getUTCDay();
    return Math.max(FIRST_DAY, day < 2 ? time + (2 - day) * DAY_MS : time);
  });
  const rows = times
    .sort((a, b) => a - b)
    .map((time, index) => {
      const [product, price] =
        PRODUCTS[
          weighted(
            PRODUCTS.map((entry) => entry[2]),
            next(),
          )
        ];
      const pieces = 1 + weighted([40, 26, 8, 12, 2, 12], next());
      const revenue = pieces === 6 ? pieces * price * 0.9 : pieces * price;
      const [delivery] =
        DELIVERIES[
          weighted(
            DELIVERIES.map((entry) => entry[1]),
            next(),
          )
        ];
      return [
        `KC-${1001 + index}`,
        new Date(time).toISOString().slice(0, 10),
        product,
        pieces,
        price,
        revenue.toFixed(2),
        delivery,
        next() < 0.04 ? 'yes' : 'no',
      ].join(',');
    });
  return `order_no,date,product,pieces,price,revenue,delivery,returned\n${rows.join('\n')}\n`;
}
