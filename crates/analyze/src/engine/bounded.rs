//! Functions that know their bounds. DataFusion's pool counts what operators
//! hold, not what a function returns: `repeat('x', 1000000000)` is a gigabyte
//! that nobody asked for room for. So functions that make much of little are
//! asked beforehand how much it would be, and called for as few rows at a time
//! as it takes to stop in between.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::compute::concat;
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature,
};
use datafusion::prelude::SessionContext;
use tachograph_model::Limit;

use super::growth::{Arguments, GROWING, Growth};
use super::watch::{Exceeded, Watch};

/// Bytes of one value that a function makes.
const VALUE_BYTES: f64 = (8_u32 << 20) as f64;
/// Bytes that are made between two looks at the time and the memory.
const SLICE_BYTES: f64 = (32_u32 << 20) as f64;

/// Puts the functions that can make much of little under bounds.
///
/// # Errors
/// When the session takes no functions.
pub(super) fn register(session: &SessionContext, watch: &Watch) -> Result<()> {
    let state = session.state();
    for (name, growth) in GROWING {
        let Some(function) = state.scalar_functions().get(name) else {
            continue;
        };
        session.register_udf(ScalarUDF::new_from_impl(Bounded {
            function: Arc::clone(function),
            growth,
            watch: watch.clone(),
        }));
    }
    Ok(())
}

#[derive(Debug)]
struct Bounded {
    function: Arc<ScalarUDF>,
    growth: Growth,
    watch: Watch,
}

impl PartialEq for Bounded {
    fn eq(&self, other: &Self) -> bool {
        self.function == other.function
    }
}

impl Eq for Bounded {}

impl Hash for Bounded {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.hash(state);
    }
}

impl Bounded {
    /// The rows of each call, so that none makes more than [`SLICE_BYTES`]
    /// unless it is of one row.
    fn slices(&self, args: &ScalarFunctionArgs) -> Result<Vec<usize>> {
        let arguments = Arguments::of(&args.args)?;
        let mut slices = Vec::with_capacity(1);
        let (mut rows, mut bytes) = (0, 0.0);
        // The same for all rows is made once.
        let all_same = !args
            .args
            .iter()
            .any(|a| matches!(a, ColumnarValue::Array(_)));
        let count = if all_same { 1 } else { args.number_rows };
        for row in 0..count {
            let more = (self.growth)(&arguments, row);
            if more > VALUE_BYTES {
                return Err(self.too_much(more, VALUE_BYTES, "value").into());
            }
            if rows > 0 && bytes + more > SLICE_BYTES {
                slices.push(rows);
                (rows, bytes) = (0, 0.0);
            }
            rows += 1;
            bytes += more;
        }
        slices.push(rows);
        Ok(slices)
    }

    fn too_much(&self, bytes: f64, limit: f64, what: &str) -> Exceeded {
        Exceeded {
            limit: Limit::Memory,
            what: format!(
                "{}() would make a {what} of {bytes:.0} bytes, the most is {limit:.0}",
                self.function.name()
            ),
        }
    }

    fn call(&self, args: &ScalarFunctionArgs, from: usize, rows: usize) -> Result<ArrayRef> {
        self.watch.check()?;
        let mut slice = args.clone();
        slice.number_rows = rows;
        for value in &mut slice.args {
            if let ColumnarValue::Array(array) = value {
                *array = array.slice(from, rows);
            }
        }
        self.function.invoke_with_args(slice)?.into_array(rows)
    }
}

impl ScalarUDFImpl for Bounded {
    fn name(&self) -> &str {
        self.function.name()
    }

    fn aliases(&self) -> &[String] {
        self.function.aliases()
    }

    fn signature(&self) -> &Signature {
        self.function.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.function.return_type(types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        self.function.return_field_from_args(args)
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.function.coerce_types(types)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.function.documentation()
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.watch.check()?;
        let slices = self.slices(&args)?;
        if slices.len() <= 1 {
            return self.function.invoke_with_args(args);
        }
        let (mut made, mut from, mut bytes) = (Vec::with_capacity(slices.len()), 0, 0);
        for rows in slices {
            let part = self.call(&args, from, rows)?;
            bytes += part.get_array_memory_size();
            if bytes > self.watch.call_bytes() {
                let limit = self.watch.call_bytes() as f64;
                return Err(self.too_much(bytes as f64, limit, "column").into());
            }
            from += rows;
            made.push(part);
        }
        let parts: Vec<&dyn Array> = made.iter().map(AsRef::as_ref).collect();
        Ok(ColumnarValue::Array(concat(&parts)?))
    }
}
