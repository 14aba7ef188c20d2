-- wrk -c 20 -d 30 -s review.lua http://127.0.0.1:8000
wrk.method = "POST"
wrk.path = "/reviews/"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"film_id": 995, "stars": 5}'
