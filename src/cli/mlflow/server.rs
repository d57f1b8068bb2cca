//! A tracking server of MLflow, by its REST API 2.0.

use std::{env, fs::File, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use ureq::{
    Agent, Body, SendBody,
    http::{Response, header},
};

use super::{Artifact, KEY, Kept, PARENT, STAGE, Store};
use crate::{
    error::{Error, Result},
    report::{MlflowMetric, MlflowRun},
};

/// No connection for so long is none.
const PATIENCE: Duration = Duration::from_secs(30);
/// No answer for so long is none: a model may take minutes to be stored.
const ANSWER: Duration = Duration::from_mins(5);
/// Metrics in a call, at most.
const METRICS: usize = 1_000;
/// Parameters in a call, at most.
const PARAMS: usize = 100;
/// Where artifacts lie that the server itself takes.
const SERVED: &str = "mlflow-artifacts:/";

/// A server.
pub(super) struct Server {
    /// Without a `/` at its end.
    url: String,
    agent: Agent,
    authorization: Option<String>,
}

impl Server {
    /// Whoever asks is known by `MLFLOW_TRACKING_TOKEN`, or by `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD`, as with MLflow's
    /// own client.
    ///
    /// # Errors
    /// When the address is of no kind that is spoken here, or holds a password.
    pub(super) fn at(url: &str) -> Result<Self> {
        let host = url
            .strip_prefix("http://")
            .or_else(|| url.strip_prefix("https://"));
        let Some(host) = host else {
            return Err(
                Error::usage("the address of `--mlflow` is none of http or https")
                    .help("name a tracking server such as `http://127.0.0.1:5000`, or a folder"),
            );
        };
        if host
            .split('/')
            .next()
            .is_some_and(|host| host.contains('@'))
        {
            return Err(
                Error::usage("the address of `--mlflow` holds a name or a password")
                    .help("set `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD` instead"),
            );
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(PATIENCE))
            .timeout_recv_response(Some(ANSWER));
        Ok(Self {
            url: url.trim_end_matches('/').to_owned(),
            agent: config.build().into(),
            authorization: authorization(),
        })
    }

    fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, Refused> {
        let mut request = self
            .agent
            .get(format!("{}/api/2.0/mlflow/{path}", self.url));
        for (name, value) in query {
            request = request.query(*name, *value);
        }
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        self.understood(path, request.call())
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value, Refused> {
        let url = format!("{}/api/2.0/mlflow/{path}", self.url);
        let mut request = (self.agent.post(url)).header(header::CONTENT_TYPE, "application/json");
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        self.understood(path, request.send(body.to_string()))
    }

    fn understood(
        &self,
        path: &str,
        answer: Result<Response<Body>, ureq::Error>,
    ) -> Result<Value, Refused> {
        let mut answer = answer.map_err(|e| Refused {
            code: String::new(),
            error: Error::failed(format!("`{}` cannot be reached", self.url))
                .because(e)
                .help("start it with `mlflow server`, or name a folder instead"),
        })?;
        let status = answer.status();
        let text = answer.body_mut().read_to_string().unwrap_or_default();
        // A file that was taken is answered with nothing.
        let told: Option<Value> = match text.trim() {
            "" => Some(Value::Null),
            text => serde_json::from_str(text).ok(),
        };
        let url = &self.url;
        if status.is_success() {
            return told.ok_or_else(|| Refused {
                code: String::new(),
                error: Error::failed(format!("`{url}` answers `{path}` with no JSON")).help(
                    "name the address of a tracking server of MLflow, with its path if it has one",
                ),
            });
        }
        let told = told.unwrap_or_default();
        let said = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
        let (code, message) = (said("error_code"), said("message"));
        let error = Error::failed(format!("`{url}` answers {status} to `{path}`: {message}"));
        let error = match status.as_u16() {
            401 | 403 => error.help(
                "set `MLFLOW_TRACKING_TOKEN`, or `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD`, for someone who may write there",
            ),
            _ => error,
        };
        Err(Refused { code, error })
    }

    /// The run of this key and stage, if there is one that was not deleted.
    fn found(&self, kept: &Kept<'_>) -> Result<Option<Value>, Refused> {
        let is = |tag: &str, value: &str| format!("tags.`{tag}` = '{}'", value.replace('\'', "''"));
        let key = is(KEY, &kept.run.key);
        let filter = match kept.stage() {
            Some(stage) => format!("{key} AND {}", is(STAGE, stage)),
            None => key,
        };
        let asked = json!({
            "experiment_ids": [kept.experiment],
            "filter": filter,
            "max_results": 1,
        });
        let found = self.post("runs/search", &asked)?;
        Ok(found["runs"].get(0).map(|run| run["info"].clone()))
    }

    fn created(&self, kept: &Kept<'_>) -> Result<Value, Refused> {
        let run = kept.run;
        let mut tags = vec![tag(KEY, &run.key)];
        tags.extend(run.tags.iter().map(|(name, value)| tag(name, value)));
        tags.extend(kept.parent.map(|parent| tag(PARENT, parent)));
        let asked = json!({
            "experiment_id": kept.experiment,
            "run_name": run.name,
            "start_time": run.began,
            "tags": tags,
        });
        let mut made = self.post("runs/create", &asked)?;
        Ok(made["run"]["info"].take())
    }

    fn log(&self, id: &str, run: &MlflowRun) -> Result<(), Refused> {
        for metrics in run.metrics.chunks(METRICS) {
            let metrics: Vec<Value> = metrics.iter().map(metric).collect();
            self.post(
                "runs/log-batch",
                &json!({ "run_id": id, "metrics": metrics }),
            )?;
        }
        for params in run.params.chunks(PARAMS) {
            let params: Vec<Value> = params
                .iter()
                .map(|(name, value)| tag(name, value))
                .collect();
            self.post("runs/log-batch", &json!({ "run_id": id, "params": params }))?;
        }
        Ok(())
    }

    /// Uploads the files of a run; a server that keeps artifacts elsewhere takes none.
    fn upload(&self, info: &Value, files: &[Artifact]) -> Result<()> {
        let place = info["artifact_uri"].as_str().unwrap_or_default();
        let Some(place) = place.strip_prefix(SERVED) else {
            return Err(Error::failed(format!(
                "`{}` takes no artifacts: it keeps them in `{place}`",
                self.url
            ))
            .help("start it with `--serve-artifacts`, or report into a folder"));
        };
        for Artifact { name, path } in files {
            let fail = |e| Error::io("read", path, e);
            let mut file = File::open(path).map_err(fail)?;
            let length = file.metadata().map_err(fail)?.len();
            let place = place.trim_start_matches('/');
            let url = format!(
                "{}/api/2.0/mlflow-artifacts/artifacts/{place}/{name}",
                self.url
            );
            let mut request = (self.agent.put(url)).header(header::CONTENT_LENGTH, length);
            if let Some(authorization) = &self.authorization {
                request = request.header(header::AUTHORIZATION, authorization);
            }
            let answer = request.send(SendBody::from_reader(&mut file));
            self.understood(name, answer)
                .map_err(|refused| refused.error)?;
        }
        Ok(())
    }
}

impl Store for Server {
    fn experiment(&mut self, name: &str) -> Result<String> {
        let id = |told: &Value| told.as_str().unwrap_or_default().to_owned();
        match self.get("experiments/get-by-name", &[("experiment_name", name)]) {
            Ok(found) if found["experiment"]["lifecycle_stage"] == "deleted" => Err(Error::failed(
                format!("the experiment `{name}` was deleted"),
            )
            .help("restore it, or remove it for good with `mlflow gc`")),
            Ok(found) => Ok(id(&found["experiment"]["experiment_id"])),
            Err(refused) if refused.code == "RESOURCE_DOES_NOT_EXIST" => {
                let made = self.post("experiments/create", &json!({ "name": name }));
                let made = made.map_err(|refused| refused.error)?;
                Ok(id(&made["experiment_id"]))
            }
            Err(refused) => Err(refused.error),
        }
    }

    fn keep(&mut self, kept: &Kept<'_>) -> Result<(String, bool)> {
        let refused = |refused: Refused| refused.error;
        let run = kept.run;
        let found = self.found(kept).map_err(refused)?;
        // One that was broken off is not finished, and is written again: values that are there are the same.
        let whole = found
            .as_ref()
            .is_some_and(|info| info["status"] == "FINISHED");
        let info = match found {
            Some(info) => info,
            None => self.created(kept).map_err(refused)?,
        };
        let id = info["run_id"].as_str().unwrap_or_default();
        if whole && !kept.renewed {
            return Ok((id.to_owned(), true));
        }
        self.log(id, run).map_err(refused)?;
        self.upload(&info, kept.files)?;
        let ended = json!({ "run_id": id, "status": "FINISHED", "end_time": run.ended });
        self.post("runs/update", &ended).map_err(refused)?;
        Ok((id.to_owned(), whole))
    }
}

/// Why a call gave nothing.
struct Refused {
    /// MLflow's name for it; empty where it said none.
    code: String,
    error: Error,
}

fn authorization() -> Option<String> {
    let set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    if let Some(token) = set("MLFLOW_TRACKING_TOKEN") {
        return Some(format!("Bearer {token}"));
    }
    let (name, password) = (
        set("MLFLOW_TRACKING_USERNAME")?,
        set("MLFLOW_TRACKING_PASSWORD").unwrap_or_default(),
    );
    Some(format!(
        "Basic {}",
        STANDARD.encode(format!("{name}:{password}"))
    ))
}

fn tag(name: &str, value: &str) -> Value {
    json!({ "key": name, "value": value })
}

fn metric(metric: &MlflowMetric) -> Value {
    json!({
        "key": metric.name,
        "value": metric.value,
        "timestamp": metric.time,
        "step": metric.step,
    })
}
