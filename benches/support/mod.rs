//! The table used by the data and storage benchmarks.

/// The largest upload that the server accepts by default, in bytes.
const SIZE: usize = 10 * 1024 * 1024;

/// Orders as CSV, the same bytes on every run: just under 10 MiB, about 170,000 rows of 9 columns,
/// line ends and quotes as in RFC 4180.
pub fn orders() -> String {
    let mut random = Random(7);
    let mut csv = String::with_capacity(SIZE);
    csv.push_str("order_id,date,region,product,quantity,unit_price,customer,returned,note\r\n");
    let mut id = 0;
    while csv.len() < SIZE - 300 {
        id += 1;
        let (month, day) = (1 + random.below(12), 1 + random.below(28));
        let region = ["N", "S", "E", "W"][random.below(4)];
        let product = ["\"Laptop, 14\"\"\"", "Phone", "Dock"][random.below(3)];
        let quantity = 1 + random.below(20);
        let price = (300 + random.below(149_701)) as f64 / 100.0;
        let customer = 1 + random.below(5_000);
        let returned = random.below(2) == 0;
        csv.push_str(&format!(
            "{id},2025-{month:02}-{day:02},{region},{product},{quantity},{price},\
             Customer {customer},{returned},ok\r\n"
        ));
    }
    csv
}

/// SplitMix64. It only needs to produce the same numbers everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }
}
