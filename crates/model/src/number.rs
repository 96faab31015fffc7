//! Numbers as the log writes them: the shortest text that reads back as the
//! same value, in the form Python's `repr` gives it.

/// Appends `value` as Python's `repr(float)` writes it: `0.08`, `100.0`,
/// `1e-05`, `1e+16`. A non-finite value becomes `null`, which every JSON
/// reader takes.
pub fn write_f64(out: &mut Vec<u8>, value: f64) {
    use std::io::Write;
    if !value.is_finite() {
        out.extend_from_slice(b"null");
        return;
    }
    let magnitude = value.abs();
    // Python changes to an exponent at 1e16 and below 1e-4. Writing to a
    // vector cannot fail.
    if magnitude != 0.0 && !(1e-4..1e16).contains(&magnitude) {
        let mut text = Vec::with_capacity(24);
        let _ = write!(text, "{value:e}");
        write_python_exponent(out, &text);
        return;
    }
    let start = out.len();
    let _ = write!(out, "{value}");
    if !out[start..].contains(&b'.') {
        out.extend_from_slice(b".0");
    }
}

/// Rust writes `1e-5` and `1.5e16`; Python `1e-05` and `1.5e+16`.
fn write_python_exponent(out: &mut Vec<u8>, text: &[u8]) {
    let at = text.iter().position(|&b| b == b'e').unwrap_or(text.len());
    let (mantissa, exponent) = text.split_at(at);
    let exponent = exponent.get(1..).unwrap_or_default();
    let (sign, digits) = match exponent.split_first() {
        Some((b'-', digits)) => (b'-', digits),
        _ => (b'+', exponent),
    };
    out.extend_from_slice(mantissa);
    out.extend_from_slice(&[b'e', sign]);
    if digits.len() < 2 {
        out.push(b'0');
    }
    out.extend_from_slice(digits);
}

/// Appends a whole number.
pub fn write_i64(out: &mut Vec<u8>, value: i64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends `text` as a JSON string, escaping what JSON demands and no more.
pub fn write_str(out: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let bytes = text.as_bytes();
    // Without an early end, so that many bytes are looked at in one step.
    let is_odd = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
    if !bytes.iter().fold(false, |odd, byte| odd | is_odd(*byte)) {
        out.extend_from_slice(bytes);
        out.push(b'"');
        return;
    }
    let mut clean = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if !is_odd(byte) {
            continue;
        }
        out.extend_from_slice(&bytes[clean..at]);
        clean = at + 1;
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0C => out.extend_from_slice(b"\\f"),
            _ => {
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(byte >> 4)]);
                out.push(HEX[usize::from(byte & 15)]);
            }
        }
    }
    out.extend_from_slice(&bytes[clean..]);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repr(value: f64) -> String {
        let mut out = Vec::new();
        write_f64(&mut out, value);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn floats_are_written_as_python_repr() {
        for (value, text) in [
            (0.08, "0.08"),
            (100.0, "100.0"),
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1e-05, "1e-05"),
            (1.5e-7, "1.5e-07"),
            (0.0001, "0.0001"),
            (1e16, "1e+16"),
            (1e22, "1e+22"),
            (9_007_199_254_740_993.0, "9007199254740992.0"),
            (123_456_789_012_345.6, "123456789012345.6"),
            (0.300_000_000_000_000_04, "0.30000000000000004"),
            (1.797_693_134_862_315_7e308, "1.7976931348623157e+308"),
            (5e-324, "5e-324"),
            (f64::NAN, "null"),
            (f64::INFINITY, "null"),
        ] {
            assert_eq!(repr(value), text);
        }
    }

    #[test]
    fn integers_and_strings() {
        let mut out = Vec::new();
        write_i64(&mut out, i64::MIN);
        write_i64(&mut out, 0);
        write_str(&mut out, "söarch \"q\"\n\t\u{1}\\");
        assert_eq!(
            String::from_utf8(out).expect("UTF-8"),
            "-92233720368547758080\"söarch \\\"q\\\"\\n\\t\\u0001\\\\\""
        );
    }
}
