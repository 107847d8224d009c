//! `sluis erase`: a client is erased (wissen, AVG 17) by an order that two officers sign.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Subcommand};

use crate::{
    audit::erasure::{Blinding, Ground, Order, OrderFile},
    cli::{failed, say, words},
    client::Profile,
    consent::signing_key,
    domain::Timestamp,
    note::{Note, NoteSigner, VerifierKey},
    proto,
    replace::{Readers, replace},
};

/// Erase a client: what leads to him is deleted, and every proof stays
///
/// One officer draws up an order, two sign it with keys that the register of participants names, and one of them has it
/// carried out. `docs/erasure.md` goes through it.
#[derive(Debug, Subcommand)]
pub enum EraseCommand {
    /// Make the key with which an officer signs orders
    Key(KeyArgs),
    /// Show what an erasure would delete and what is in its way, and draw up the order (proefdraai)
    Plan(PlanArgs),
    /// Sign an order as an officer
    Sign(SignArgs),
    /// Have an order carried out that two officers signed
    Run(RunArgs),
}

/// For the key of an officer.
#[derive(Debug, Args)]
pub struct KeyArgs {
    /// Name of the key, as the register names it: no spaces and no `+`
    #[arg(value_name = "NAME")]
    name: String,

    /// File for the private key
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// For a plan.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Your profile
    #[arg(long, value_name = "FILE")]
    profile: PathBuf,

    /// The client; `-` reads the number from the terminal or from standard input, so that no list of processes shows it
    #[arg(long, default_value = "-")]
    bsn: String,

    /// Ground of AVG 17, first paragraph: avg-17-1-a to avg-17-1-e
    #[arg(long, default_value = "avg-17-1-b", value_parser = |text: &str| text.parse::<Ground>())]
    ground: Ground,

    /// File to write the order to; nothing is written without
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// For a signature.
#[derive(Debug, Args)]
pub struct SignArgs {
    /// The order
    #[arg(value_name = "FILE")]
    order: PathBuf,

    /// Name of your key
    #[arg(long, value_name = "NAME")]
    officer: String,

    /// Your private key
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

/// For the doing.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Your profile
    #[arg(long, value_name = "FILE")]
    profile: PathBuf,

    /// The signed order
    #[arg(long, value_name = "FILE")]
    order: PathBuf,

    /// The client; `-` reads the number from the terminal or from standard input
    #[arg(long, default_value = "-")]
    bsn: String,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What is to be said wherever a database was put back: the gateway cannot know whom it has forgotten that again brings back.
pub(super) const ERASE_AGAIN: &str = "whoever was erased after this copy was made may be back in it, and the gateway \
     does not know: erase them again (docs/erasure.md, \"A restored database\")";

pub(super) async fn run(command: EraseCommand) -> ExitCode {
    let done = match command {
        EraseCommand::Key(args) => key(&args),
        EraseCommand::Plan(args) => plan(args).await,
        EraseCommand::Sign(args) => sign(&args),
        EraseCommand::Run(args) => carry_out(args).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => failed(fault),
    }
}

fn key(args: &KeyArgs) -> Result<(), String> {
    // A name that no key can have leaves no file behind.
    VerifierKey::new(&args.name, [0; 32]).map_err(|fault| fault.to_string())?;
    let key = signing_key::create(&args.out).map_err(|fault| fault.to_string())?;
    say(VerifierKey::new(&args.name, key).map_err(|fault| fault.to_string())?);
    Ok(())
}

async fn plan(args: PlanArgs) -> Result<(), String> {
    let bsn = words::bsn(&args.bsn).map_err(|fault| fault.to_string())?;
    let profile = Profile::load(&args.profile).map_err(|fault| fault.to_string())?;
    let mut client = profile.connect().await.map_err(|fault| fault.to_string())?.audit();
    let request = proto::PlanErasureRequest { bsn, ground: args.ground.to_string() };
    let plan = client.plan_erasure(request).await.map_err(|status| words::refusal(&status))?.into_inner();
    if let Some(out) = &args.out {
        let blinding = Blinding::from_bytes(&plan.blinding).ok_or("the gateway gave no blinding")?;
        write(out, &OrderFile { blinding, note: plan.order.clone() })?;
    }
    if args.json {
        say(words::json("sluis.v1.PlanErasureResponse", &plan));
        return Ok(());
    }
    let day = |time: Option<prost_types::Timestamp>| {
        time.map(|time| Timestamp::from_proto(&time).day().to_string()).unwrap_or_default()
    };
    say(format_args!(
        "would be deleted: {} forms with {} grants, {} listed disclosures, the sealed part of {} entries, keys of {} years",
        plan.forms,
        plan.grants,
        plan.disclosures,
        plan.entries,
        plan.key_years.len()
    ));
    say("would stay: every entry of the log with its proof, and nothing that leads from it to the client");
    for code in &plan.obstacles {
        say(format_args!("in its way: {code}"));
    }
    if plan.not_before.is_some() {
        say(format_args!("nothing has to be accounted for any more from {}", day(plan.not_before)));
    }
    say(format_args!("complete on {}, when the last backup of the keys is gone", day(plan.complete_on)));
    match &args.out {
        Some(out) => say(format_args!(
            "the order is in {}; two officers sign it with `sluis erase sign`",
            out.display()
        )),
        None => say("nothing was written; --out FILE writes the order"),
    }
    Ok(())
}

fn sign(args: &SignArgs) -> Result<(), String> {
    let OrderFile { blinding, note: read } = self::read(&args.order)?;
    // Signed before, or not yet.
    let (text, before) = match Note::parse(&read) {
        Ok(note) => {
            let (_, lines) = read.rsplit_once("\n\n").unwrap_or_default();
            (note.unverified_text().to_owned(), lines.to_owned())
        }
        Err(_) => (read.clone(), String::new()),
    };
    let order: Order = text.parse().map_err(|fault| format!("`{}` {fault}", args.order.display()))?;
    let key = signing_key::read(&args.key).map_err(|fault| fault.to_string())?;
    let signer = NoteSigner::new(&args.officer, key).map_err(|fault| fault.to_string())?;
    let signed = signer.sign(&text).map_err(|fault| fault.to_string())?;
    let note = signed + &before;
    Note::parse(&note).map_err(|_| "you have signed this order before".to_owned())?;
    write(&args.order, &OrderFile { blinding, note })?;
    say(format_args!("signed by {}: order {} of {}", args.officer, hex::encode(order.number), order.drawn));
    Ok(())
}

async fn carry_out(args: RunArgs) -> Result<(), String> {
    let OrderFile { blinding, note } = read(&args.order)?;
    let bsn = words::bsn(&args.bsn).map_err(|fault| fault.to_string())?;
    let profile = Profile::load(&args.profile).map_err(|fault| fault.to_string())?;
    let mut client = profile.connect().await.map_err(|fault| fault.to_string())?.audit();
    let request = proto::EraseRequest { bsn, order: note, blinding: blinding.bytes().to_vec() };
    let erased = client.erase(request).await;
    let erased = erased.map_err(|status| words::refusal(&status))?.into_inner();
    if args.json {
        say(words::json("sluis.v1.EraseResponse", &erased));
        return Ok(());
    }
    let complete = erased.complete_on.map(|time| Timestamp::from_proto(&time).day().to_string());
    say(format_args!(
        "erased; entry {} of the log says so. Complete on {}, when the last backup of the keys is gone",
        erased.position,
        complete.unwrap_or_default()
    ));
    say(format_args!(
        "delete {} now: with it and the index key the client could be found",
        args.order.display()
    ));
    Ok(())
}

fn read(path: &Path) -> Result<OrderFile, String> {
    let text = fs::read_to_string(path).map_err(|fault| format!("cannot read the order: {fault}"))?;
    text.parse().map_err(|fault| format!("`{}` {fault}", path.display()))
}

fn write(path: &Path, file: &OrderFile) -> Result<(), String> {
    // With it and the index key the client can be found.
    replace(path, Readers::Owner, file.to_string().as_bytes())
        .map_err(|fault| format!("cannot write `{}`: {fault}", path.display()))
}
