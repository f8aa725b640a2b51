//! A case file that is carried through procedure, act by act, over HTTP.

use chrono::{Days, NaiveDate};
use serde_json::{Value, json};
use sistra::catalogue::{Profile, Required, Transition};

use super::{Answer, World, case};

/// A file and the day on which it stands.
pub struct File<'w> {
    pub world: &'w World,
    pub token: String,
    pub path: String,
    pub id: String,
    pub on: NaiveDate,
}

/// A body of a case reported on a day under a code of procedure; facts in force under art. 129-A or 153.
pub fn reported(procedure: &str, on: NaiveDate) -> Value {
    let mut new = case();
    new["procedural_code"] = json!(procedure);
    new["reported_at"] = json!(format!("{on}T15:00:00Z"));
    new["facts_from"] = json!((on - Days::new(60)).to_string());
    new
}

impl<'w> File<'w> {
    pub fn open(world: &'w World, token: &str, new: &Value) -> Self {
        let made = world.post("/v1/cases", token, new);
        assert_eq!(made.status, 201, "{}", made.text);
        let on = new["reported_at"].as_str().unwrap()[..10].parse().unwrap();
        let id = made.json()["id"].as_str().unwrap().to_owned();
        Self { world, token: token.to_owned(), path: made.header("location"), id, on }
    }

    pub fn read(&self) -> Value {
        let answer = self.world.get(&self.path, &self.token);
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    pub fn stage(&self) -> String {
        self.read()["stage"].as_str().unwrap().to_owned()
    }

    pub fn charges(&self) -> Vec<Value> {
        let answer = self.world.get(&format!("/v1/charges?case_id={}&limit=200", self.id), &self.token);
        answer.json()["items"].as_array().unwrap().clone()
    }

    pub fn charge_states(&self) -> Vec<String> {
        self.charges().iter().map(|c| c["state"].as_str().unwrap().to_owned()).collect()
    }

    /// Makes a move with the body as it is; the entity tag is the current one.
    pub fn send(&self, body: &Value) -> Answer {
        let version = self.read()["version"].as_i64().unwrap();
        self.world.step(&self.path, &self.token, &format!("\"{version}.o\""), body)
    }

    /// Makes a move some days later, resting on an act of this kind.
    pub fn act(&mut self, days: u64, trigger: &str, legal_act: &str, more: Value) -> Answer {
        let on = self.on + Days::new(days);
        let mut body = json!({"trigger": trigger, "effective_on": on.to_string(),
            "legal_act": {"type": legal_act, "number": "01", "date": on.to_string(), "authority": "Juzgado de prueba"}});
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        let answer = self.send(&body);
        if answer.status == 200 {
            self.on = on;
        }
        answer
    }

    /// The same, and it must succeed.
    pub fn did(&mut self, days: u64, trigger: &str, legal_act: &str, more: Value) -> Value {
        let answer = self.act(days, trigger, legal_act, more);
        assert_eq!(answer.status, 200, "{trigger}: {}", answer.text);
        answer.json()
    }

    /// Makes a move of a profile with everything that it asks for.
    pub fn go(&mut self, profile: &Profile, transition: &Transition, outcome: &str, more: Value) -> Answer {
        // Within five working days, or after them; ten days between summons and trial.
        let days = if transition.trigger == "appeal_judgment" { 1 } else { 15 };
        let mut body = more;
        if let Some(rule) = &transition.verdicts
            && rule.required != Required::None
        {
            let mut verdicts = Vec::new();
            for charge in self.charges() {
                let state = charge["state"].as_str().unwrap().to_owned();
                let able = |step: &Option<String>| {
                    step.as_ref().and_then(|t| profile.charge_transition(t)).is_some_and(|t| t.from.contains(&state))
                };
                let outcome = match (able(&rule.convicted), able(&rule.acquitted)) {
                    (true, true) => outcome,
                    (true, false) => "convicted",
                    (false, true) => "acquitted",
                    (false, false) => continue,
                };
                let mut verdict = json!({"charge_id": charge["id"], "outcome": outcome});
                if outcome == "convicted" {
                    verdict["imprisonment_months"] = json!(120);
                }
                verdicts.push(verdict);
            }
            body["verdicts"] = json!(verdicts);
        }
        self.act(days, &transition.trigger, &transition.legal_acts[0], body)
    }
}
