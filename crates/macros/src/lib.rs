//! The attribute macros of the recorder: `#[tachograph::tool]` and
//! `#[tachograph::instrument]`. Use them through the crate `tachograph`, whose
//! pages say what they do.
//!
//! ```text
//! #[tool(name = "search")]          static SITE: ToolSite = ToolSite::new("search");
//! fn f(q: &str) -> Result<T, E> {   fn f(q: &str) -> Result<T, E> {
//!     body                    ──►       SITE.run(move || -> Result<T, E> { body })
//! }                                 }
//! ```
//!
//! # Invariants
//! - The body keeps its meaning: early returns, `?`, `await`, borrowing.
//! - Without a recorder in the program the function costs one load and one
//!   branch more.

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::{quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{ItemFn, LitStr, ReturnType, Token, Type, parse_macro_input};

/// Records every call of the function as a `tool_call`, through the program's
/// recorder, under the function's name or the one given.
///
/// - A function that returns a `Result` fails with its `Err`, called after the
///   error's type, never its message.
/// - A panic is failure `panic`.
/// - An `async fn` is measured from its first poll to its end; dropped before
///   that, it is failure `cancelled`.
///
/// The tool is resolved at the first call; each costs what a timer costs.
/// A function counts as returning a result when its return type is called
/// `Result`, such as `io::Result<T>`.
///
/// ```text
/// #[tachograph::tool(name = "search")]
/// async fn search(query: &str) -> Result<Vec<Hit>, SearchError> { … }
/// ```
#[proc_macro_attribute]
pub fn tool(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let arguments = parse_macro_input!(arguments as Arguments);
    let function = parse_macro_input!(item as ItemFn);
    expand(&arguments, function, &quote!(ToolSite)).into()
}

/// Records every call of the function as a `span`, within what called it;
/// what it calls is within it, also across `await`.
///
/// Takes `name = "…"`; outcomes and costs are those of
/// [`macro@tool`], with a span's identifiers.
///
/// ```text
/// #[tachograph::instrument]
/// fn plan(goal: &Goal) -> Plan { … }
/// ```
#[proc_macro_attribute]
pub fn instrument(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let arguments = parse_macro_input!(arguments as Arguments);
    let function = parse_macro_input!(item as ItemFn);
    expand(&arguments, function, &quote!(SpanSite)).into()
}

/// `name = "…"`, or nothing.
struct Arguments {
    name: Option<LitStr>,
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.is_empty() {
            return Ok(Self { name: None });
        }
        let key: syn::Ident = input.parse()?;
        if key != "name" {
            return Err(syn::Error::new(key.span(), "expected `name = \"…\"`"));
        }
        input.parse::<Token![=]>()?;
        let name: LitStr = input.parse()?;
        if name.value().is_empty() {
            return Err(syn::Error::new(name.span(), "a name has at least a letter"));
        }
        input.parse::<Option<Token![,]>>()?;
        if !input.is_empty() {
            return Err(input.error("expected nothing after the name"));
        }
        Ok(Self { name: Some(name) })
    }
}

fn expand(arguments: &Arguments, mut function: ItemFn, site: &Tokens) -> Tokens {
    if let Some(keyword) = &function.sig.constness {
        return syn::Error::new(keyword.span(), "a `const fn` cannot be recorded")
            .to_compile_error();
    }
    let name = match &arguments.name {
        Some(name) => name.value(),
        None => {
            let name = function.sig.ident.to_string();
            name.trim_start_matches("r#").to_owned()
        }
    };
    let site = quote! {
        static __TACHOGRAPH_SITE: ::tachograph::__macros::#site =
            ::tachograph::__macros::#site::new(#name);
    };
    let body = match (&function.sig.asyncness, returns_result(&function)) {
        (Some(_), result) => async_body(&function, result),
        (None, true) => result_body(&function),
        (None, false) => plain_body(&function),
    };
    *function.block = syn::parse_quote!({ #site #body });
    quote!(#function)
}

/// The body stays where it is; a timer beside it notices its end.
fn plain_body(function: &ItemFn) -> Tokens {
    let statements = &function.block.stmts;
    quote! {
        let __tachograph_timer = __TACHOGRAPH_SITE.start();
        #(#statements)*
    }
}

/// The body becomes a closure, so that its result can be looked at whichever
/// way it returns.
fn result_body(function: &ItemFn) -> Tokens {
    let block = &function.block;
    let arrow = match &function.sig.output {
        // A closure's return type cannot be written with `impl`.
        ReturnType::Type(_, ty) if !mentions_impl(ty) => quote!(-> #ty),
        _ => quote!(),
    };
    let block = if arrow.is_empty() {
        quote!({ #block })
    } else {
        quote!(#block)
    };
    quote_spanned! {function.block.span()=>
        #[allow(clippy::redundant_closure_call)]
        __TACHOGRAPH_SITE.run(move || #arrow #block)
    }
}

fn async_body(function: &ItemFn, result: bool) -> Tokens {
    let statements = &function.block.stmts;
    let run = match result {
        true => quote!(try_run_async),
        false => quote!(run_async),
    };
    // An async block has no place for its type, which `?` and `into` need:
    // a return that is never reached tells it.
    let hint = match &function.sig.output {
        ReturnType::Type(_, ty) if !mentions_impl(ty) => quote! {
            #[allow(unreachable_code, clippy::diverging_sub_expression, clippy::empty_loop)]
            if false {
                let __tachograph_type: #ty = loop {};
                return __tachograph_type;
            }
        },
        _ => quote!(),
    };
    quote! {
        __TACHOGRAPH_SITE.#run(async move { #hint #(#statements)* }).await
    }
}

/// Whether the return type is called `Result`: also `io::Result<T>`.
fn returns_result(function: &ItemFn) -> bool {
    let ReturnType::Type(_, ty) = &function.sig.output else {
        return false;
    };
    let Type::Path(path) = &**ty else {
        return false;
    };
    path.path
        .segments
        .last()
        .is_some_and(|last| last.ident == "Result")
}

fn mentions_impl(ty: &Type) -> bool {
    contains_impl(quote!(#ty))
}

fn contains_impl(tokens: Tokens) -> bool {
    tokens.into_iter().any(|token| match token {
        proc_macro2::TokenTree::Ident(word) => word == "impl",
        proc_macro2::TokenTree::Group(group) => contains_impl(group.stream()),
        _ => false,
    })
}
