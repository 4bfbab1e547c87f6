"""The dashboard in a browser, by what its page holds: each test ends without a word on the console."""

import os

import pytest
import requests
from rig import flows
from rig.wait import until
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

PAGES = {"flows": "#/", "held": "#/held", "bulletins": "#/bulletins", "provenance": "#/provenance", "processor": "#/processor/refused/upload",
         "queue": "#/queue/refused/by-kind.unmatched.upload"}


@pytest.fixture
def page(scene):
    """The scene's dashboard, open; afterwards nothing was said: no error, no violation of the policy."""
    browser = scene.open()
    yield browser
    assert browser.console() == []


def sent(scene):
    return scene.daemon.events(type="SEND", filename="sunset.jpg")[0]


# ---- who may


def test_the_token_leaves_the_address(scene, page):
    assert scene.daemon.token not in page.driver.current_url
    assert page.run("return document.cookie + JSON.stringify({...localStorage, ...sessionStorage})").find(scene.daemon.token) < 0
    assert page.run("return document.cookie") == "", "no script can read the cookie"
    page.driver.refresh()
    page.shows("#link", "Live")


def test_without_a_token_the_page_says_how_to_get_one(scene, browser):
    browser.go("about:blank")
    browser.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
    browser.go(scene.daemon.url + "/")
    browser.shows("#main", "token", "/var/lib/sluice/token", "STATE/token")
    assert not browser.all("[data-flow]")
    for scheme in ("light", "dark"):
        browser.scheme(scheme)
        browser.picture(f"sign-in-{scheme}")
    browser.fill("#token", "wrong")
    browser.click("#main button[type=submit]")
    browser.shows("#main .problem", "not the token")
    browser.fill("#token", scene.daemon.token)
    browser.click("#main button[type=submit]")
    browser.shows("#link", "Live")
    browser.shows("[data-flow=media-to-store]", "running")
    browser.click("#leave")
    browser.shows("#main", "needs the daemon")
    browser.go("about:blank")
    browser.go(f"{scene.daemon.url}/#token=of-another-daemon")
    browser.shows("#main .problem", "not the token of this daemon")
    assert all("401" in line for line in browser.console()), "nothing but the refusals"


# ---- what goes on


def test_figures_change_live(scene, page):
    queue = "[data-flow=refused] tr[data-queue='pickup.success.by-kind'] .objects"
    pill = "[data-flow=refused] .graph [data-queue='pickup.success.by-kind']"
    place = "return [...document.querySelectorAll('[data-flow=refused] .graph g[transform]')].map((g) => g.getAttribute('transform')).join()"
    page.shows(queue, "of 10,000")
    page.run("window.sameDocument = true; document.querySelector(arguments[0]).focus()", pill)
    before = scene.queue("refused", "pickup.success.by-kind")["objects"]
    places = page.run(place)
    for number in range(4):
        (scene.refused / f"late-{before}-{number}.txt").write_text("late")
    page.shows(queue, f"{before + 4} of 10,000")
    page.shows(f"{pill} .objects", str(before + 4))
    assert page.run("return window.sameDocument && document.activeElement === document.querySelector(arguments[0])", pill), "the same element, still focused"
    assert page.run(place) == places, "the graph stays where it is"


def test_what_is_wrong_comes_first(scene, page):
    page.shows("#attention", "Flow broken does not run", "get-fil", "refused/upload is paused", "SignatureDoesNotMatch",
               "3 FlowFiles are held in refused/upload-bad.failure.hold", "refused/by-kind.unmatched.upload is full")
    page.shows("[data-flow=broken]", "invalid", "broken.yaml:5:11", "get-fil")
    page.shows("[data-flow=refused] tr[data-processor=upload]", "paused", "configuration")
    page.shows("[data-flow=refused] tr.reason", "Paused", "SignatureDoesNotMatch")
    page.shows("[data-flow=refused] tr[data-queue='by-kind.unmatched.upload']", "5 of 5", "back pressure")
    page.shows("[data-flow=refused] .graph .pill.pressed", "unmatched", "full", "5")
    page.shows("[data-flow=refused] .graph .state-paused", "upload", "paused")
    page.shows("[data-flow=refused] .graph .pill.hold.some", "3", "held")
    assert len(page.all("[data-flow=media-to-store] .graph .box")) == 6
    assert page.run("return document.title").startswith("(2) ")


def test_a_processor_is_stopped_and_started(scene, page):
    row = "[data-flow=media-to-store] tr[data-processor=identify]"
    page.click(f"{row} [data-verb=stop]")
    page.shows(row, "stopped")
    page.shows("#attention", "media-to-store/identify is stopped")
    assert scene.daemon.processor("identify")["desired"] == "stopped"
    page.click(f"{row} [data-verb=start]")
    page.shows(row, "running")
    assert scene.daemon.processor("identify")["desired"] == "running"


def test_bulletins(scene, page):
    scene.show("#/bulletins")
    page.shows(".bulletins", "SignatureDoesNotMatch", "refused/upload", "get-fil")
    page.click("#level option[value=error]")
    until(lambda: page.run("return [...document.querySelectorAll('.bulletins .tag')].every((tag) => tag.textContent === 'error')"))


# ---- what is held


def test_held_says_why_and_markup_is_text(scene, page):
    scene.show("#/held")
    page.shows("[data-hold='upload-bad.failure.hold']", "a.bad", "b.bad", "<img src=x onerror=alert(1)>.bad", "permanent", "InvalidKey", "../a.bad")
    assert not page.all("#main img") and page.run("return document.querySelectorAll('#main script, #main b').length") == 0
    page.click("[data-hold] tbody tr:first-child details summary")
    page.shows("[data-hold] details[open]", "error.message", "error.component")
    scene.show("#/")
    page.shows("[data-flow=refused] .description", "<b>really</b>")
    scene.show("#/provenance?filename=" + "%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E.bad")
    page.shows("#events", "<img src=x onerror=alert(1)>.bad")
    page.click("#events a[href^='#/event/']")
    page.shows("h1", "<img src=x onerror=alert(1)>.bad")
    assert not page.all("#main img")


@pytest.fixture
def blocked(browser, inbox, tmp_path, make_daemon):
    """Three held because their places are taken; the dashboard shows them."""
    (tmp_path / "out").mkdir()
    for number in range(3):
        (tmp_path / "out" / f"{number}.txt").write_text("in the way")
        (inbox / f"{number}.txt").write_text(f"new {number}")
    daemon = make_daemon(flows.copy(inbox, tmp_path / "out")).start()
    until(lambda: daemon.connection("park.failure.hold")["objects"] == 3, 30, daemon.tail)
    browser.go("about:blank")
    browser.go(f"{daemon.url}/#token={daemon.token}")
    browser.shows("[data-flow=copy]", "3 held")
    browser.run("location.hash = '#/held'")
    browser.shows("[data-hold]", "0.txt", "1.txt", "2.txt")
    yield daemon
    assert browser.console() == []
    browser.go("about:blank")


def row_of(browser, name):
    rows = browser.run("return [...document.querySelectorAll('tr[data-flowfile]')].map((row) => [row.dataset.flowfile, row.querySelector('th a').textContent])")
    return next(f"tr[data-flowfile='{flowfile}']" for flowfile, text in rows if text == name)


def test_replay_of_one_and_of_all(browser, blocked, tmp_path):
    for path in (tmp_path / "out").iterdir():
        path.unlink()
    row = row_of(browser, "1.txt")
    browser.click(f"{row} [data-do=replay]")
    browser.shows("#said", "1 FlowFile given back")
    until(lambda: not browser.all(row) and len(browser.all("tr[data-flowfile]")) == 2)
    until(lambda: os.listdir(tmp_path / "out") == ["1.txt"], 30, blocked.tail)
    browser.click("[data-do=replay-all]")
    browser.shows("#main", "Nothing is held")
    until(lambda: sorted(os.listdir(tmp_path / "out")) == ["0.txt", "1.txt", "2.txt"], 30, blocked.tail)
    assert (tmp_path / "out" / "2.txt").read_text() == "new 2"
    assert len(blocked.events(type="REPLAY")) == 3
    browser.run("location.hash = '#/'")
    browser.shows("#attention", "Nothing needs you")


def test_emptying_asks_first(browser, blocked):
    browser.click("[data-do=empty]")
    browser.shows("dialog", "Drop 3 FlowFiles of park.failure.hold?")
    browser.picture("confirm")
    browser.driver.switch_to.active_element.click()  # Cancel has the focus
    until(lambda: not browser.all("dialog"))
    assert blocked.connection("park.failure.hold")["objects"] == 3
    browser.click(f"{row_of(browser, '0.txt')} [data-do=drop]")
    browser.click("dialog .danger")
    browser.shows("#said", "1 FlowFile dropped")
    until(lambda: blocked.connection("park.failure.hold")["objects"] == 2)
    browser.click("[data-do=empty]")
    browser.click("dialog .danger")
    browser.shows("#main", "Nothing is held")
    until(lambda: blocked.connection("park.failure.hold")["objects"] == 0)


# ---- provenance


def test_a_search_opens_an_event_and_its_lineage(scene, page):
    scene.show("#/provenance")
    page.fill("#f-filename", "sunset.jpg")
    page.click("#search button[type=submit]")
    until(lambda: "filename=sunset.jpg" in page.driver.current_url)
    event = sent(scene)
    page.shows(f"tr[data-seq='{event['seq']}']", "SEND", "upload", "photos/sunset.jpg")
    assert len(page.all("#events tbody tr")) == len(scene.daemon.events(filename="sunset.jpg")) == 5
    page.click(f"tr[data-seq='{event['seq']}'] a")
    page.shows("h1", "SEND sunset.jpg")
    page.shows("#event", event["content"]["sha256"], event["transit_uri"], event["flowfile"], "upload", event["flow_revision"])
    page.shows("#details", event["details"]["etag"])
    page.shows("#attributes tr.changed", "new")
    page.shows("#attributes", "s3.etag", "mime.type", "image/jpeg")
    page.shows(".graph .event.here", "SEND")
    names = page.run("return [...document.querySelectorAll('.graph .event .name')].map((name) => name.textContent)")
    assert names == ["RECEIVE", "ATTRIBUTES_MODIFIED", "ROUTE", "SEND", "DROP"]
    page.click(".graph .event")
    page.shows("h1", "RECEIVE sunset.jpg")
    page.driver.back()
    page.shows("h1", "SEND sunset.jpg")
    content = page.run("return fetch(document.querySelector('#event a[download]').href).then((reply) => reply.arrayBuffer()).then((bytes) => bytes.byteLength)")
    assert content == event["content"]["size"]


def test_filters_and_pages(scene, page):
    for number in range(40):
        (scene.media / f"note-{number}.txt").write_text(f"note {number}")
    until(lambda: not any(path.is_file() for path in scene.media.rglob("*")), 60, scene.daemon.tail)
    until(lambda: len(scene.daemon.events(type="DROP", flow="media-to-store")) == 51, 60, scene.daemon.tail)
    whole = [str(event["seq"]) for event in reversed(scene.daemon.events(flow="media-to-store"))]
    assert len(whole) > 200
    shown = "return [...document.querySelectorAll('#events tr[data-seq]')].map((row) => row.dataset.seq)"
    scene.show("#/provenance?flow=media-to-store")
    until(lambda: page.run(shown) == whole[:100])
    page.click("#more")
    until(lambda: page.run(shown) == whole[:200])
    page.click("#f-type option[value=DROP]")
    page.click("#search button[type=submit]")
    page.shows("#main", "51; that is all")
    assert page.run("return [...new Set([...document.querySelectorAll('#events tbody th')].map((cell) => cell.textContent))]") == ["DROP"]
    oldest = min(scene.daemon.events(type="DROP", flow="media-to-store"), key=lambda event: event["seq"])
    scene.show(f"#/provenance?type=DROP&to={oldest['time']}")
    page.shows("#events", oldest["attributes"]["filename"])
    scene.show("#/provenance?filename=nobody")
    page.shows("#main", "No event fits")
    scene.show("#/event/999999")
    page.shows("#main .problem", "999999")
    assert all("404" in line for line in page.console()), "nothing but the event that is not there"


# ---- the connection


def test_a_lost_connection_is_shown_and_mended(browser, inbox, tmp_path, make_daemon):
    daemon = make_daemon(flows.copy(inbox, tmp_path / "out")).start()
    browser.go("about:blank")
    browser.go(f"{daemon.url}/#token={daemon.token}")
    browser.shows("#link", "Live")
    daemon.kill()
    browser.shows("#lost", "Connection lost since", "cannot be reached")
    assert browser.run("return document.body.className") == "stale"
    browser.picture("lost")
    browser.shows("[data-flow=copy]", "running")
    daemon.start()
    browser.shows("#link", "Live")
    until(lambda: browser.text("#lost") == "" and browser.run("return document.body.className") == "")
    (inbox / "a.txt").write_text("a")
    browser.shows("tr[data-processor=park] td[data-label='In, 5 min']", "1")
    assert all("ERR_" in line for line in browser.console()), "nothing but what a dead daemon causes"
    browser.go("about:blank")


def test_without_events_it_asks(scene, browser):
    """Sixteen others take all the streams there are; the figures come by asking, until one is free."""
    browser.go("about:blank")
    header = {"Authorization": "Bearer " + scene.daemon.token}
    others = [requests.get(scene.daemon.url + "/api/v1/events", headers=header, stream=True, timeout=60) for _ in range(17)]
    assert others[-1].status_code == 503
    browser.go(f"{scene.daemon.url}/#token={scene.daemon.token}")
    browser.shows("#link", "Polling")
    browser.shows("[data-flow=refused]", "running")
    queue = scene.queue("refused", "pickup.success.by-kind")["objects"]
    (scene.refused / f"polled-{queue}.txt").write_text("polled")
    browser.shows("[data-flow=refused] tr[data-queue='pickup.success.by-kind'] .objects", f"{queue + 1} of")
    scene.show("#/bulletins")
    browser.shows(".bulletins", "get-fil")
    for other in others:
        other.close()
    browser.shows("#link", "Live", seconds=40)
    assert all("503" in line for line in browser.console())


def test_pages_that_were_left_hold_no_connection(scene, page):
    """A browser opens six connections to a daemon; pages that it keeps for going back must not use them up."""
    for _ in range(8):
        page.go("about:blank")
        page.go(scene.daemon.url + "/")
        page.shows("#link", "Live")
    page.driver.set_page_load_timeout(15)
    page.driver.refresh()
    page.shows("[data-flow=refused]", "running")
    page.driver.set_page_load_timeout(300)


def test_a_fresh_daemon_says_what_to_do(browser, inbox, tmp_path, make_daemon):
    daemon = make_daemon(flows.copy(inbox, tmp_path / "out")).start()
    browser.go("about:blank")
    browser.go(f"{daemon.url}/#token={daemon.token}")
    browser.shows("#attention", "Nothing needs you")
    for address, words in (("#/held", "Nothing is held"), ("#/bulletins", "None."), ("#/provenance", "Nothing has happened yet"),
                           ("#/queue/copy/pickup.success.park", "Nothing is queued"), ("#/queue/copy/none", "no such queue"), ("#/processor/copy/none", "no such processor")):
        browser.run("location.hash = arguments[0]", address)
        browser.shows("#main", words)
    assert browser.console() == []
    browser.go("about:blank")


# ---- how it looks

CONTRAST = """
const seen = [], canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
const bytes = (color) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
const light = ([r, g, b]) => { const [x, y, z] = [r, g, b].map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * x + 0.7152 * y + 0.0722 * z; };
const ground = (element) => {
  const shape = element.namespaceURI.endsWith('svg') && element.parentNode.querySelector(':scope > .shape');
  if (shape) return bytes(getComputedStyle(shape).fill);
  for (let at = element; at; at = at.parentElement) { const color = bytes(getComputedStyle(at).backgroundColor); if (color[3] === 255) return color; }
  return [255, 255, 255];
};
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
let count = 0;
while (walk.nextNode()) {
  const element = walk.currentNode.parentElement;
  if (!walk.currentNode.data.trim() || !element.checkVisibility() || element.closest('option, title, noscript')) continue;
  const style = getComputedStyle(element), color = bytes(element.namespaceURI.endsWith('svg') ? style.fill : style.color);
  const [a, b] = [light(color), light(ground(element))].sort((x, y) => y - x), ratio = (a + 0.05) / (b + 0.05);
  count++;
  if (ratio < 4.5) seen.push(`${ratio.toFixed(2)} ${element.tagName}.${element.getAttribute('class')}: ${walk.currentNode.data.slice(0, 60)}`);
}
return [count, [...new Set(seen)]];
"""


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_readable_in_light_and_dark_wide_and_narrow(scene, page, scheme, width):
    page.scheme(scheme)
    page.size(width, 900)
    try:
        addresses = dict(PAGES, event=f"#/event/{sent(scene)['seq']}")
        for name, address in addresses.items():
            scene.show(address)
            until(lambda: page.run("return document.querySelector('#main > .page')?.checkVisibility() && !document.querySelector('#main').textContent.includes('Reading…')"
                                   " && !document.querySelector('[aria-busy]')"))
            assert page.run("return document.documentElement.scrollWidth") <= width, name
            count, poor = page.run(CONTRAST)
            assert count > 20 and poor == [], name
            page.picture(f"{name}-{scheme}-{width}")
        dark = page.run("return getComputedStyle(document.body).backgroundColor")
        assert (sum(int(part) for part in dark[4:-1].split(",")) < 128) == (scheme == "dark")
    finally:
        page.size(1280, 900)
        page.scheme("light")


def test_the_switch_overrules_the_system(page):
    page.scheme("light")
    ground = "return getComputedStyle(document.body).backgroundColor"
    light = page.run(ground)
    for label in ("Theme: light", "Theme: dark"):
        page.click("#theme")
        page.shows("#theme", label)
    assert page.run(ground) != light
    page.driver.refresh()
    page.shows("#link", "Live")
    assert page.run(ground) != light, "it is remembered"
    page.click("#theme")
    page.shows("#theme", "Theme: auto")
    assert page.run(ground) == light


def test_all_is_reached_by_the_keyboard(page):
    page.shows("[data-flow=refused]", "running")
    wanted = page.run("return [...document.querySelectorAll('a[href], button, summary, select, input')].filter((item) => item.checkVisibility()).length")
    page.run("document.activeElement.blur(); window.getSelection().removeAllRanges(); window.reached = new Set();"
             "document.addEventListener('focusin', (event) => window.reached.add(event.target));")
    body = page.driver.find_element(By.TAG_NAME, "body")
    for _ in range(wanted + 20):
        page.driver.switch_to.active_element.send_keys(Keys.TAB) if page.run("return document.activeElement !== document.body") else body.send_keys(Keys.TAB)
        if page.run("return [...document.querySelectorAll('a[href], button, summary')].filter((item) => item.checkVisibility()).every((item) => window.reached.has(item))"):
            break
    missed = page.run("return [...document.querySelectorAll('a[href], button, summary')].filter((item) => item.checkVisibility() && !window.reached.has(item)).map((item) => item.outerHTML.slice(0, 120))")
    assert missed == []


LAYOUT = """
const done = arguments[0];
import('/ui/layers.js').then(({lay}) => {
  let seed = 1;
  const random = (below) => (seed = (seed * 48271) % 2147483647) % below;
  for (let round = 0; round < 300; round++) {
    const nodes = Array.from({length: 1 + random(24)}, (_, i) => ({id: `n${i}`, width: 40 + random(120), height: 20 + random(60)}));
    const edges = Array.from({length: random(40)}, (_, i) => ({id: `e${i}`, from: `n${random(nodes.length)}`, to: `n${random(nodes.length)}`}));
    const made = lay({nodes, edges}), again = lay({nodes, edges});
    if (JSON.stringify([...made.places]) !== JSON.stringify([...again.places])) return done(`round ${round}: two layouts of one graph`);
    const boxes = nodes.map((node) => ({...node, ...made.places.get(node.id)}));
    for (const a of boxes) {
      if (!(a.x >= -0.01 && a.y >= -0.01 && a.x + a.width <= made.width + 0.01 && a.y + a.height <= made.height + 0.01)) return done(`round ${round}: ${a.id} is outside`);
      for (const b of boxes) if (a.id < b.id && a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height) return done(`round ${round}: ${a.id} is on ${b.id}`);
    }
    if (edges.some((edge) => !made.paths.get(edge.id) || made.paths.get(edge.id).includes('NaN'))) return done(`round ${round}: an edge without a path`);
  }
  done('');
}).catch((error) => done(String(error)));
"""


def test_any_graph_is_laid_out(page):
    """Circles and loops too: boxes never overlap, every edge has a path, the same graph looks the same."""
    assert page.driver.execute_async_script(LAYOUT) == ""
