//! A page in Debian's chromium, as a person uses it: waits, clicks, types, looks.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;
use std::time::Instant;

use chromiumoxide::Browser;
use chromiumoxide::BrowserConfig;
use chromiumoxide::Page;
use chromiumoxide::cdp::browser_protocol::emulation::MediaFeature;
use chromiumoxide::cdp::browser_protocol::emulation::SetDeviceMetricsOverrideParams;
use chromiumoxide::cdp::browser_protocol::emulation::SetEmulatedMediaParams;
use chromiumoxide::cdp::browser_protocol::emulation::SetScriptExecutionDisabledParams;
use chromiumoxide::cdp::browser_protocol::input::DispatchMouseEventParams;
use chromiumoxide::cdp::browser_protocol::input::DispatchMouseEventType;
use chromiumoxide::cdp::browser_protocol::input::MouseButton;
use chromiumoxide::cdp::browser_protocol::network::ClearBrowserCookiesParams;
use chromiumoxide::cdp::browser_protocol::network::EventRequestWillBeSent;
use chromiumoxide::cdp::browser_protocol::page::NavigateParams;
use chromiumoxide::cdp::js_protocol::runtime::EvaluateParams;
use chromiumoxide::page::ScreenshotParams;
use futures_util::StreamExt as _;
use serde_json::Value;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::house::House;

/// Longest that anything may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Of every user here.
pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) struct Screen {
    pub(crate) page: Page,
    phone: bool,
    browser: Browser,
    /// Addresses that were asked for.
    asked: Arc<Mutex<Vec<String>>>,
    tasks: Vec<JoinHandle<()>>,
    base: String,
    _profile: TempDir,
}

/// What comes of it, if that is soon and no error.
async fn timeout<T, E>(work: impl Future<Output = Result<T, E>>) -> Option<T> {
    tokio::time::timeout(Duration::from_secs(10), work).await.ok()?.ok()
}

fn chromium() -> PathBuf {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let mut all = std::env::split_paths(&paths).flat_map(|path| names.map(|name| path.join(name)));
    all.find(|path| path.is_file()).expect("chromium is not installed: apt-get install chromium")
}

impl Screen {
    /// A browser at a house, as wide as a desk's or a phone's.
    pub(crate) async fn open(house: &House, phone: bool) -> Self {
        let profile = TempDir::new().unwrap();
        let config = BrowserConfig::builder()
            .chrome_executable(chromium())
            .user_data_dir(profile.path())
            .no_sandbox()
            .window_size(1280, 900)
            .request_timeout(Duration::from_secs(30))
            .build()
            .unwrap();
        let (browser, mut handler) = Browser::launch(config).await.unwrap();
        let handling = tokio::spawn(async move { while handler.next().await.is_some() {} });
        let page = timeout(browser.new_page("about:blank")).await.expect("a page opens");
        let (wide, high) = if phone { (390, 844) } else { (1280, 900) };
        let size = SetDeviceMetricsOverrideParams::new(wide, high, 1.0, phone);
        timeout(page.execute(size)).await.expect("the page has a size");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let mut requests = page.event_listener::<EventRequestWillBeSent>().await.unwrap();
        let list = asked.clone();
        let listening = tokio::spawn(async move {
            while let Some(event) = requests.next().await {
                list.lock().unwrap().push(event.request.url.clone());
            }
        });
        let base = house.url.clone();
        Self {
            page,
            phone,
            browser,
            asked,
            tasks: vec![handling, listening],
            base,
            _profile: profile,
        }
    }

    /// The same, logged in as the first user.
    pub(crate) async fn logged_in(house: &House, phone: bool) -> Self {
        let screen = Self::open(house, phone).await;
        screen.goto(&house.setup).await;
        screen.log_in("ann").await;
        screen
    }

    /// At the page that asks who it is.
    pub(crate) async fn log_in(&self, name: &str) {
        self.fill("#name", name).await;
        self.fill("#password", PASSWORD).await;
        self.click("button.main").await;
        self.sees("Overview").await;
    }

    /// To an address. What waits for a page's own signs of life may wait for ever; its state is asked.
    pub(crate) async fn goto(&self, path: &str) {
        let url =
            if path.starts_with('/') { format!("{}{path}", self.base) } else { path.to_owned() };
        self.ask("window.before = true").await;
        let begun = Instant::now();
        while timeout(self.page.execute(NavigateParams::new(url.clone()))).await.is_none() {
            assert!(begun.elapsed() < PATIENCE, "{url} cannot be asked for");
        }
        self.until(path, "window.before === undefined && document.readyState === 'complete'").await;
    }

    /// What a script says; `None` while the page is another in between.
    async fn ask(&self, script: &str) -> Option<Value> {
        let params = EvaluateParams::builder()
            .expression(script)
            .await_promise(true)
            .return_by_value(true)
            .build()
            .unwrap();
        let told = timeout(self.page.execute(params)).await?;
        told.result.exception_details.is_none().then(|| told.result.result.value.clone())?
    }

    pub(crate) async fn eval(&self, script: &str) -> Value {
        self.ask(script).await.unwrap_or(Value::Null)
    }

    pub(crate) async fn text(&self) -> String {
        let text = self.eval("document.body ? document.body.innerText : ''").await;
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until a script says true; pages that change in between are asked again.
    pub(crate) async fn until(&self, what: &str, script: &str) {
        let begun = Instant::now();
        loop {
            if self.ask(script).await == Some(Value::Bool(true)) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "not in time: {what}\n{}", self.text().await);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until the page shows a text.
    pub(crate) async fn sees(&self, text: &str) {
        let script = format!("document.body.innerText.includes({})", Value::from(text));
        self.until(text, &script).await;
    }

    /// Clicks the first that fits, and waits for the page that follows.
    pub(crate) async fn click(&self, selector: &str) {
        let found = format!("document.querySelector({}) !== null", Value::from(selector));
        self.until(selector, &found).await;
        // A real press where the element's first line stands, as a person's.
        let place = format!(
            "(() => {{ window.before = true; const e = document.querySelector({}); \
             e.scrollIntoView({{block: 'center'}}); const r = e.getClientRects()[0]; \
             return [r.left + r.width / 2, r.top + r.height / 2]; }})()",
            Value::from(selector)
        );
        let place = self.eval(&place).await;
        let at = |index: usize| place[index].as_f64().unwrap();
        for kind in [DispatchMouseEventType::MousePressed, DispatchMouseEventType::MouseReleased] {
            let press = DispatchMouseEventParams::builder()
                .r#type(kind)
                .x(at(0))
                .y(at(1))
                .button(MouseButton::Left)
                .click_count(1)
                .build()
                .unwrap();
            timeout(self.page.execute(press)).await;
        }
        self.until(
            &format!("what follows {selector}"),
            "window.before === undefined && document.readyState === 'complete'",
        )
        .await;
    }

    /// Types into a field, in the place of what is there.
    pub(crate) async fn fill(&self, selector: &str, text: &str) {
        let script = format!(
            "(() => {{ const f = document.querySelector({}); f.value = {}; \
             f.dispatchEvent(new Event('input', {{bubbles: true}})); return true; }})()",
            Value::from(selector),
            Value::from(text)
        );
        self.until(selector, &script).await;
    }

    /// The text of a page that was loaded without scripts.
    pub(crate) async fn html(&self, path: &str) -> String {
        let url = format!("{}{path}", self.base);
        timeout(self.page.execute(NavigateParams::new(url))).await.expect("it is asked for");
        let begun = Instant::now();
        loop {
            let there = format!(
                "location.pathname + location.search === {} && document.readyState === 'complete' \
                 ? document.documentElement.outerHTML : ''",
                Value::from(path)
            );
            match self.ask(&there).await {
                Some(Value::String(html)) if !html.is_empty() => return html,
                _ => assert!(begun.elapsed() < PATIENCE, "{path} does not come"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Light or dark.
    pub(crate) async fn scheme(&self, scheme: &str) {
        let feature = MediaFeature::new("prefers-color-scheme", scheme);
        let media = SetEmulatedMediaParams::builder().feature(feature).build();
        timeout(self.page.execute(media)).await.expect("it has colours");
    }

    /// Nobody is logged in any more, and the page does not know.
    pub(crate) async fn forgets_cookies(&self) {
        let forget = ClearBrowserCookiesParams::default();
        timeout(self.page.execute(forget)).await.expect("cookies are forgotten");
    }

    /// With or without scripts.
    pub(crate) async fn scripts(&self, on: bool) {
        let off = SetScriptExecutionDisabledParams::new(!on);
        timeout(self.page.execute(off)).await.expect("scripts go on and off");
    }

    /// What axe-core finds on the page.
    pub(crate) async fn violations(&self) -> Vec<String> {
        self.eval(&format!("{}; true", include_str!("axe/axe.min.js"))).await;
        // What is closed is looked at as well.
        self.eval("document.querySelectorAll('details').forEach(one => { one.open = true; })")
            .await;
        let run = "axe.run({resultTypes: ['violations']}).then(found => found.violations.map(one => \
                   one.id + ': ' + one.nodes.slice(0, 3).map(node => node.html.slice(0, 160) + ' ' + \
                   (node.any[0] ? node.any[0].message : '')).join(' | ')))";
        let told = self.ask(run).await.expect("axe answers");
        serde_json::from_value(told).unwrap()
    }

    /// A picture, kept where pictures of the documents are made; of a phone under a name of its own.
    pub(crate) async fn picture(&self, name: &str) {
        let Some(place) = std::env::var_os("PICTURES") else { return };
        let phone = if self.phone { "-phone" } else { "" };
        let file = Path::new(&place).join(format!("{name}{phone}.png"));
        let whole = ScreenshotParams::builder().full_page(false).build();
        timeout(self.page.save_screenshot(whole, file)).await.expect("a picture is taken");
    }

    /// The same in light and dark.
    pub(crate) async fn pictures(&self, name: &str) {
        self.picture(name).await;
        self.scheme("dark").await;
        self.picture(&format!("{name}-dark")).await;
        self.scheme("light").await;
    }

    /// Addresses that were asked for outside the house.
    pub(crate) fn elsewhere(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        let inside = |url: &&String| url.starts_with(&self.base) || url.starts_with("about:");
        assert!(asked.iter().any(|url| url.starts_with(&self.base)), "nothing was listened to");
        asked.iter().filter(|url| !inside(url)).cloned().collect()
    }

    pub(crate) async fn close(mut self) {
        assert_eq!(self.elsewhere(), [""; 0], "a request left the host");
        timeout(self.browser.close()).await;
        // One that does not end by itself is ended.
        if tokio::time::timeout(Duration::from_secs(5), self.browser.wait()).await.is_err() {
            self.browser.kill().await.unwrap().unwrap();
        }
        self.tasks.drain(..).for_each(|task| task.abort());
    }
}
