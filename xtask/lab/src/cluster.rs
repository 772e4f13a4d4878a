//! A whole cluster on this machine, on free ports of loopback. It ends with its value.

use crate::front;
use crate::node::{Clock, Node, Program, database_url};
use crate::postgres::Database;
use crate::psql;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use task_support::args::Args;
use task_support::fail::{Context as _, Fail, Result};
use task_support::process::{Server, run_with_input};
use task_support::services::Redis;
use task_support::{product, say};
use tempfile::TempDir;

/// The organisation of a cluster and its owner, who may do everything.
pub(crate) const ORGANISATION: &str = "acme";
pub(crate) const EMAIL: &str = "owner@acme.example";
/// The password of everybody: nothing here is worth keeping.
pub(crate) const PASSWORD: &str = "a password of this cluster only";

/// What a cluster is made of.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) nodes: usize,
    pub(crate) patroni: bool,
    pub(crate) pgbouncer: bool,
    pub(crate) redis: bool,
    /// Of `cluster.consistency`.
    pub(crate) consistency: &'static str,
    /// A `nolapse-api` to run; built if not given.
    program: Option<PathBuf>,
}

/// Everything that runs. Fields are dropped in this order: what uses something ends before it.
pub(crate) struct Cluster {
    _front: Server,
    pub(crate) nodes: Vec<Node>,
    _poolers: Vec<Server>,
    pub(crate) database: Database,
    /// What the nodes share beside it, if anything.
    pub(crate) redis: Option<Redis>,
    /// `http://127.0.0.1:PORT` of the front.
    pub(crate) address: String,
    _folder: TempDir,
}

impl Shape {
    /// Reads `[--nodes N] [--patroni] [--pgbouncer] [--redis] [--program PATH]`.
    pub(crate) fn read(args: &mut Args) -> Result<Self> {
        let nodes = match args.value("--nodes")? {
            Some(text) => text.parse().attempt(|| format!("read --nodes {text}"))?,
            None => 3,
        };
        if nodes == 0 {
            return Err(Fail::usage("a cluster has at least one node"));
        }
        let (patroni, pgbouncer) = (args.flag("--patroni"), args.flag("--pgbouncer"));
        let redis = args.flag("--redis");
        let program = args.value("--program")?.map(PathBuf::from);
        Ok(Self { nodes, patroni, pgbouncer, redis, consistency: "strict", program })
    }

    /// The options that [`read`](Self::read) takes, for another process.
    pub(crate) fn options(&self) -> Vec<String> {
        let mut options = vec![format!("--nodes={}", self.nodes)];
        options.extend(self.patroni.then(|| "--patroni".to_owned()));
        options.extend(self.pgbouncer.then(|| "--pgbouncer".to_owned()));
        options.extend(self.redis.then(|| "--redis".to_owned()));
        options.extend(self.program.iter().map(|path| format!("--program={}", path.display())));
        options
    }

    /// Builds the program, or finds the one that was given.
    pub(crate) fn built(mut self) -> Result<Self> {
        let path = match self.program.take() {
            Some(path) => path.canonicalize().attempt(|| format!("find {}", path.display()))?,
            None => product::build(product::Profile::Dev)?,
        };
        self.program = Some(path);
        Ok(self)
    }
}

impl Cluster {
    /// Starts everything. Logs go to the folder `logs`.
    pub(crate) fn start(shape: &Shape, logs: &Path) -> Result<Self> {
        let path = shape.program.clone().ok_or_else(|| Fail::new("the program is not built"))?;
        std::fs::create_dir_all(logs).attempt(|| format!("create {}", logs.display()))?;
        let folder = tempfile::Builder::new().prefix("nolapse-cluster-").tempdir();
        let folder = folder.attempt(|| "make a temporary folder".into())?;
        // PostgreSQL runs as another user, who may traverse the folder but not list it.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o711))
            .attempt(|| format!("open {} to the servers", folder.path().display()))?;

        say::step(if shape.patroni { "PostgreSQL under Patroni, with a standby" } else { "PostgreSQL" });
        let database = if shape.patroni { Database::patroni(folder.path(), logs)? } else { Database::single()? };
        let mut ports = database.ports();
        psql::ask(ports[database.until_primary()?], "CREATE DATABASE nolapse")?;
        let mut poolers = Vec::new();
        if shape.pgbouncer {
            say::step("PgBouncer");
            for (number, port) in ports.iter_mut().enumerate() {
                let (server, before) = front::pgbouncer(folder.path(), logs, number, *port)?;
                poolers.push(server);
                *port = before;
            }
        }

        let redis = if shape.redis { Some(Redis::start()?) } else { None };
        if let Some(redis) = &redis {
            say::step(format!("Redis at {}", redis.url()));
        }

        say::step(format!("{} nodes of nolapse-api", shape.nodes));
        let folder_path = folder.path().to_owned();
        let program = Program {
            path,
            folder: folder_path,
            consistency: shape.consistency,
            redis: redis.as_ref().map(Redis::url),
        };
        let setup = ["setup", "--org", ORGANISATION, "--email", EMAIL, "--password-stdin"];
        let mut setup = program.launch(&database_url(ports.iter().copied())).args(setup).command()?;
        run_with_input(setup.stdout(std::io::stderr()), format!("{PASSWORD}\n").as_bytes())?;
        let made = (0..shape.nodes).map(|number| Node::new(number, &program, &ports, logs));
        let mut nodes = made.collect::<Result<Vec<_>>>()?;
        for node in &mut nodes {
            node.start(Clock::Right)?;
        }
        nodes.iter_mut().try_for_each(Node::until_ready)?;

        say::step("HAProxy in front of them");
        let listening: Vec<u16> = nodes.iter().map(Node::port).collect();
        let (front, port) = front::haproxy(folder.path(), logs, &listening)?;
        let address = format!("http://127.0.0.1:{port}");
        Ok(Self { _front: front, nodes, _poolers: poolers, database, redis, address, _folder: folder })
    }
}
