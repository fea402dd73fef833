(module
  (import "fec" "memory" (memory 1))

  ;; to ^= from, 16 bytes at a time, until from = end.
  (func (export "add") (param $to i32) (param $from i32) (param $end i32)
    (loop $next
      (v128.store (local.get $to)
        (v128.xor (v128.load (local.get $to)) (v128.load (local.get $from))))
      (local.set $to (i32.add (local.get $to) (i32.const 16)))
      (local.set $from (i32.add (local.get $from) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $from) (local.get $end)))))

  ;; to ^= factor * from: the factor's products with 0x00 to 0x0f, then with 0x00, 0x10, ... 0xf0, lie at $products.
  (func (export "addScaled")
    (param $to i32) (param $from i32) (param $end i32) (param $products i32)
    (local $low v128) (local $high v128) (local $nibble v128) (local $bytes v128)
    (local.set $low (v128.load (local.get $products)))
    (local.set $high (v128.load offset=16 (local.get $products)))
    (local.set $nibble (i8x16.splat (i32.const 15)))
    (loop $next
      (local.set $bytes (v128.load (local.get $from)))
      (v128.store (local.get $to)
        (v128.xor
          (v128.load (local.get $to))
          (v128.xor
            (i8x16.swizzle (local.get $low) (v128.and (local.get $bytes) (local.get $nibble)))
            (i8x16.swizzle (local.get $high) (i8x16.shr_u (local.get $bytes) (i32.const 4))))))
      (local.set $to (i32.add (local.get $to) (i32.const 16)))
      (local.set $from (i32.add (local.get $from) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $from) (local.get $end))))))
